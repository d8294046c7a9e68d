/** Two real programs (openssl as server and as client) with issued files: whom they accept, and whom they refuse. */
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { run, start } from '@kalnet/io/spawn'
import { ensureTls } from '@kalnet/server/core/tls'
import { issue, newAuthority, pemOf, type Signer } from '@kalnet/server/core/x509'
import { freePort } from '@kalnet/server/testing/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lacking } from '../support/parts.ts'

const skip = await lacking(['openssl'], 'services accept each other by their certificates, and nobody else')
const DAY_MS = 86_400_000
const ORGANISATION = '01920000-0000-7000-8000-0000000000aa'

describe.skipIf(skip)('[MSH-4.mutual] two services', () => {
  let folder: string
  let server: ChildProcess
  let port: number
  let house: Signer
  const file = (name: string) => join(folder, name)

  async function write(name: string, signer: Signer, now: number): Promise<void> {
    const names = [`spiffe://home.example/${ORGANISATION}/${name}`, `${name}.home.example`, name]
    const made = await issue(signer, { title: name, names, now, hours: 24, backHours: 1, client: true })
    await writeFile(file(`${name}.pem`), made.certificate)
    await writeFile(file(`${name}.key`), made.key, { mode: 0o600 })
  }
  const serve = async (name: string): Promise<void> => {
    port = await freePort()
    server = start(
      'openssl',
      [
        ...[
          's_server',
          '-accept',
          `127.0.0.1:${port}`,
          '-cert',
          file(`${name}.pem`),
          '-key',
          file(`${name}.key`),
        ],
        // As any program does that was given the three files: a certificate of its organisation, or nothing.
        ...['-CAfile', file('ca.pem'), '-Verify', '2', '-verify_return_error', '-www'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    await new Promise<void>((resolve, reject) => {
      server.stdout?.on('data', (piece: Buffer) => /ACCEPT/.test(piece.toString('utf8')) && resolve())
      server.once('exit', () => reject(new Error('openssl ended')))
    })
  }
  const end = () => {
    server.removeAllListeners('exit')
    server.kill('SIGKILL')
  }
  const asks = async (client: string | null, host = 'db', ca = 'ca.pem'): Promise<boolean> => {
    const own = client === null ? [] : ['-cert', file(`${client}.pem`), '-key', file(`${client}.key`)]
    const { stdout } = await run(
      'openssl',
      [
        ...['s_client', '-connect', `127.0.0.1:${port}`, '-servername', host, '-verify_hostname', host],
        ...['-CAfile', file(ca), '-verify_return_error', '-ign_eof', ...own],
      ],
      { input: 'GET / HTTP/1.0\r\n\r\n', timeoutMs: 15_000 },
    )
    return stdout.includes('HTTP/1.0 200 ok')
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kn-mutual-'))
    const now = systemClock.now().getTime()
    house = await newAuthority('Kalnet services', now, 365)
    const other = await newAuthority('Kalnet services', now, 365)
    await writeFile(file('ca.pem'), pemOf(house.certificate))
    await writeFile(file('other-ca.pem'), pemOf(other.certificate))
    await write('db', house, now)
    await write('photos', house, now)
    await write('ended', house, now - 2 * DAY_MS)
    await write('stranger', other, now)
    await serve('db')
  })
  afterAll(async () => {
    end()
    await rm(folder, { recursive: true, force: true })
  })

  it.each<[string, string | null, boolean]>([
    ['of one organisation accept each other', 'photos', true],
    ["another organisation's is refused", 'stranger', false],
    ['one whose day is over is refused', 'ended', false],
    ['nobody is refused', null, false],
  ])('%s', async (_, client, accepted) => {
    expect(await asks(client)).toBe(accepted)
  })
  it('the one that asks looks too: another name, a foreign authority, a server whose day is over', async () => {
    expect(await asks('photos', 'db.home.example')).toBe(true)
    expect(await asks('photos', 'mail')).toBe(false)
    expect(await asks('photos', 'db', 'other-ca.pem')).toBe(false)
    end()
    await serve('ended')
    expect(await asks('photos', 'ended')).toBe(false)
  })
})

describe.skipIf(skip)('[NET-4.host] what the local authority signs', () => {
  it('openssl finds nothing to say against, by its strictest rules', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kn-strict-'))
    const { certificate, authority } = await ensureTls(folder, ['photos.home.example', '192.168.7.9'])
    const [root, leaf] = [join(folder, 'root.pem'), join(folder, 'leaf.pem')]
    await writeFile(root, authority)
    await writeFile(leaf, certificate)
    const rules = ['-x509_strict', '-check_ss_sig', '-purpose', 'sslserver', '-auth_level', '2']
    const judge = (...more: string[]) => run('openssl', ['verify', ...rules, '-CAfile', root, ...more, leaf])
    expect((await judge('-verify_hostname', 'photos.home.example')).stdout).toContain('leaf.pem: OK')
    expect((await judge('-verify_ip', '192.168.7.9')).stdout).toContain('leaf.pem: OK')
    expect((await judge('-verify_hostname', 'music.home.example')).code).not.toBe(0)
    await rm(folder, { recursive: true, force: true })
  })
})
