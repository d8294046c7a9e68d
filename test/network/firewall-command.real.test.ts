/** `kalnet firewall` as a person types it, on a machine of its own: applied twice, after routes have changed, taken out, refused. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FirewallRule } from '@kalnet/cli/firewall/rules'
import { must, run } from '@kalnet/io/spawn'
import { testDatabase } from '@kalnet/server/core/testing'
import { askAt } from '@kalnet/server/testing/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OWNER } from '../support/client.ts'
import { lacking } from '../support/parts.ts'
import { CHECKOUT, freePort, tokenOf } from '../support/product.ts'
import { endProcess, type ServerProcess, startServerProcess } from '../support/server-process.ts'

const wall = `knfc-${randomBytes(2).toString('hex')}`
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

describe.skipIf(await lacking(['root', 'iproute', 'nft', 'ufw'], 'that `kalnet firewall` does what it says'))(
  'kalnet firewall',
  () => {
    let home: string
    let database: Awaited<ReturnType<typeof testDatabase>>
    let server: ServerProcess
    let env: NodeJS.ProcessEnv
    let routeId: string
    const ports = { own: 0, http: 0 }

    const kalnet = async (words: string, as: string[] = []) => {
      const command = [...as, join(CHECKOUT, 'kalnet'), 'firewall', ...words.split(' ').filter(Boolean)]
      return run('ip', ['netns', 'exec', wall, ...command], { env, cwd: '/', timeoutMs: 60_000 })
    }
    const nft = async (...words: string[]) =>
      (await must('ip', ['netns', 'exec', wall, 'nft', ...words])).stdout
    const call = async (method: string, path: string, body?: object) => {
      const answer = await askAt({ socketPath: join(home, 'run/control.sock') }, method, path, { body })
      expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
      return answer.body
    }

    beforeAll(async () => {
      await must('ip', ['netns', 'add', wall])
      home = await mkdtemp('/tmp/kn-f-')
      await chmod(home, 0o755)
      for (const folder of ['data', 'config', 'catalog/templates', 'catalog/images'])
        await mkdir(join(home, folder), { recursive: true })
      database = await testDatabase()
      ports.own = await freePort()
      ports.http = await freePort()
      const config = { listen: { port: ports.own }, gateway: { httpPort: ports.http } }
      server = await startServerProcess({ config, databaseUrl: database.url, home })
      env = {
        ...process.env,
        KALNET_HOME: home,
        KALNET_LISTEN_PORT: String(ports.own),
        KALNET_GATEWAY_HTTP_PORT: String(ports.http),
      }
      await call('POST', '/api/claim', { token: tokenOf(server.claim), ...OWNER, organisationName: 'Home' })
      const { serviceId } = await call('POST', '/api/services/register', {
        name: 'shed',
        ttlMs: 3_600_000,
        ports: [{ name: 'game', kind: 'tcp', host: '10.1.2.3', port: 9000 }],
      })
      const match = { kind: 'tcp', listen: await freePort() }
      const made = await call('POST', '/api/routes', {
        ...{ serviceId, port: 'game', exposure: 'internal', access: 'public', match },
      })
      routeId = String(made.id)
    })
    afterAll(async () => {
      if (server) await endProcess(server.child)
      await database?.drop()
      await run('ip', ['netns', 'del', wall])
      if (home) await rm(home, { recursive: true, force: true })
    })

    test('[SEC-5.command] it prints by default and changes nothing; with --json the rules are data', async () => {
      const [plain, data] = [await kalnet(''), await kalnet('--print --json')]
      expect([plain.code, plain.stderr]).toEqual([0, ''])
      const { rules, text } = JSON.parse(data.stdout) as { rules: FirewallRule[]; text: string }
      expect(plain.stdout.trimEnd()).toBe(text.trimEnd())
      expect(rules.map(({ exposure, why }) => `${why}: ${exposure}`)).toEqual(
        expect.arrayContaining(['Kalnet itself: internal', 'Kalnet shed: internal']),
      )
      expect(await nft('list', 'tables')).toBe('')
    })

    test('[SEC-5.command] [SEC-5.atomic] applied twice it is the same; rules follow routes; taken out, only ours are gone', async () => {
      await nft('add', 'table', 'inet', 'neighbours')
      const applied = await kalnet('--apply')
      expect(applied, applied.stderr).toMatchObject({ code: 0, stderr: '' })
      expect(applied.stdout).toMatch(/tcp \d+: from this network only \(Kalnet shed\)/)
      const before = await nft('list', 'ruleset')
      expect(before).toContain('drop comment "Kalnet shed: this network only"')
      expect((await kalnet('--apply')).code).toBe(0)
      expect(await nft('list', 'ruleset')).toBe(before)

      await call('PATCH', `/api/routes/${routeId}`, { exposure: 'external' })
      const again = await kalnet('--apply --network 2001:db8:7::/64 --json')
      expect(JSON.parse(again.stdout)).toMatchObject({ applied: true })
      const after = await nft('list', 'ruleset')
      expect(after).toContain('accept comment "Kalnet shed: everywhere"')
      expect(after).toContain('2001:db8:7::/64')
      expect(after).not.toContain('drop comment "Kalnet shed')

      expect((await kalnet('--remove')).stdout.trim()).toBe('The rules are gone.')
      expect((await nft('list', 'tables')).trim()).toBe('table inet neighbours')
      const none = await kalnet('--remove --json')
      expect([none.code, JSON.parse(none.stdout)]).toEqual([0, { removed: false }])
    })

    test('[SEC-5.command] [SEC-5.ufw] what it prints for ufw is what ufw takes', async () => {
      const { code, stdout } = await kalnet('--format ufw')
      expect(code).toBe(0)
      const lines = stdout.trim().split('\n')
      expect(lines.length).toBeGreaterThan(5)
      // One of each kind: ufw takes its time.
      const kinds = Map.groupBy(lines, (line) => `${line.includes('from any')} ${line.includes('::')}`)
      expect(kinds.size).toBe(3)
      for (const [line = ''] of kinds.values()) {
        const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
        const taken = await run('ufw', ['--dry-run', ...words.slice(1)], { timeoutMs: 20_000 })
        expect({ line, code: taken.code }, taken.stderr + taken.stdout).toEqual({ line, code: 0 })
      }
    })

    test('[SEC-5.command] who is not root is refused and told what to do, also as data', async () => {
      const [said, data] = [await kalnet('--apply', NOBODY), await kalnet('--remove --json', NOBODY)]
      expect(said).toMatchObject({ code: 4, stdout: '' })
      expect(said.stderr).toContain('Only root changes the firewall of a machine.')
      expect([data.code, data.stdout + data.stderr]).toEqual([4, expect.stringContaining('"cli.refused"')])
    })
  },
)
