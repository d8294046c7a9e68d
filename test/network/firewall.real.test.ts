/** Our rules in a kernel: one machine with them, another that knocks, both network namespaces of their own. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { nftables } from '@kalnet/cli/firewall/nftables'
import { firewallRules } from '@kalnet/cli/firewall/rules'
import { ufwRules } from '@kalnet/cli/firewall/ufw'
import { config as configSchema } from '@kalnet/contracts/config'
import type { GatewayRoute } from '@kalnet/contracts/gateway'
import { must, run, start } from '@kalnet/io/spawn'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lacking } from '../support/parts.ts'

const SCRIPT = join(import.meta.dirname, 'knock.ts')
const word = randomBytes(2).toString('hex')
const [house, street] = [`knfw-${word}h`, `knfw-${word}s`]
const HOME = ['10.255.78.1', '10.255.78.2'] as const
const AWAY = ['198.51.100.1', '198.51.100.2'] as const

type Given = Pick<GatewayRoute, 'match' | 'exposure' | 'serviceName'>
const tcp = (listen: number, exposure: Given['exposure']): Given => ({
  match: { kind: 'tcp', listen, sni: null },
  exposure,
  serviceName: 'game',
})
const config = configSchema.parse({ dns: { enabled: true } })
/** 7400: Kalnet; 8080: a page for everybody; 5432: for this network; 22 and 9999: not ours. */
const routes: Given[] = [
  {
    match: { kind: 'http', host: 'a.home', pathPrefix: '/', strip: false },
    exposure: 'external',
    serviceName: 'a',
  },
  tcp(5432, 'internal'),
  tcp(22, 'internal'),
]
const PORTS = ['7400', '8080', '5432', '22', '9999']

const inside = (name: string, command: string, args: string[], input?: string) =>
  run('ip', ['netns', 'exec', name, command, ...args], {
    timeoutMs: 20_000,
    ...(input === undefined ? {} : { input }),
  })
const knock = async (from: string, to: string): Promise<string[]> => {
  const { stdout } = await inside(street, process.execPath, [SCRIPT, 'knock', from, to, ...PORTS])
  return JSON.parse(stdout)
}

describe.skipIf(await lacking(['root', 'iproute', 'nft'], 'that our firewall rules hold in a kernel'))(
  'nftables',
  () => {
    let server: ReturnType<typeof start>
    beforeAll(async () => {
      for (const name of [house, street]) await must('ip', ['netns', 'add', name])
      await must('ip', [
        'link',
        'add',
        'door',
        'netns',
        house,
        'type',
        'veth',
        'peer',
        'name',
        'door',
        'netns',
        street,
      ])
      for (const [at, name] of [house, street].entries()) {
        for (const address of [HOME[at], AWAY[at]])
          await must('ip', ['-n', name, 'addr', 'add', `${address}/24`, 'dev', 'door'])
        for (const link of ['lo', 'door']) await must('ip', ['-n', name, 'link', 'set', link, 'up'])
      }
      server = start('ip', ['netns', 'exec', house, process.execPath, SCRIPT, 'serve', ...PORTS])
      await new Promise((resolve) => server.stdout?.once('data', resolve))
    })
    afterAll(async () => {
      server.kill('SIGKILL')
      for (const name of [house, street]) await run('ip', ['netns', 'del', name])
    })
    const apply = async (text: string) => {
      const { code, stderr } = await inside(house, 'nft', ['-f', '-'], text)
      expect(stderr).toBe('')
      return code
    }
    const text = (more: Given[] = [], networks: string[] = []) =>
      nftables(firewallRules(config, [...routes, ...more]), networks)

    test('[SEC-5.nftables] from home everything, from elsewhere what is for everybody; ssh and what is not ours as before', async () => {
      expect(await knock(AWAY[1], AWAY[0])).toEqual(PORTS)
      expect(await apply(text())).toBe(0)
      expect(await knock(HOME[1], HOME[0])).toEqual(PORTS)
      expect(await knock(AWAY[1], AWAY[0])).toEqual(['8080', '22', '9999'])
      // This machine itself, by its outside address.
      const own = await inside(house, process.execPath, [SCRIPT, 'knock', AWAY[0], AWAY[0], '7400'])
      expect(own.stdout).toBe('["7400"]\n')
    })

    test('[SEC-5.atomic] again is the same; another set of routes replaces it whole; nothing that is wrong changes anything', async () => {
      await apply(text())
      await apply(text())
      const rules = async () => (await inside(house, 'nft', ['list', 'ruleset'])).stdout
      const before = await rules()
      expect(before.match(/dport 7400/g)).toHaveLength(1)
      await apply(text([tcp(5432, 'external')]))
      expect(await knock(AWAY[1], AWAY[0])).toEqual(['8080', '5432', '22', '9999'])
      const now = await rules()
      const wrong = await inside(house, 'nft', ['-f', '-'], text().replace('7400', 'seven'))
      expect(wrong.code).not.toBe(0)
      expect(await rules()).toBe(now)
      await apply(text([], ['198.51.100.0/24']))
      expect(await knock(AWAY[1], AWAY[0])).toEqual(PORTS)
    })

    test('[SEC-5.atomic] other tables are not touched, and removing ours leaves them', async () => {
      await inside(house, 'nft', ['add', 'table', 'inet', 'neighbours'])
      await apply(text())
      await inside(house, 'nft', ['delete', 'table', 'inet', 'kalnet'])
      expect((await inside(house, 'nft', ['list', 'tables'])).stdout.trim()).toBe('table inet neighbours')
      expect(await knock(AWAY[1], AWAY[0])).toEqual(PORTS)
    })
  },
)

describe.skipIf(await lacking(['root', 'ufw'], 'that ufw takes our lines'))('ufw', () => {
  test('[SEC-5.ufw] takes lines of each kind, without doing it', async () => {
    const lines = ufwRules(firewallRules(config, routes), ['2001:db8:7::/64'])
    const kinds = Map.groupBy(
      lines,
      (words) => `${words[2] === 'any'} ${words[2]?.includes(':')} ${words.includes('udp')}`,
    )
    for (const [words = []] of kinds.values()) {
      const { code, stdout, stderr } = await run('ufw', ['--dry-run', ...words], { timeoutMs: 20_000 })
      expect({ code, words, stderr: code === 0 ? '' : stderr + stdout }).toEqual({
        code: 0,
        words,
        stderr: '',
      })
    }
  })
})
