/** `kalnet cert …` over a real unix socket: what each line asks for, and what is said. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Certificate } from '@kalnet/contracts/certificate'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

const at = '2026-01-01T00:00:00.000Z'
const PHOTOS: Certificate = {
  id: '01a1fd3c-b7fd-7166-abd0-00000000000a',
  source: 'acme',
  names: ['photos.example.org', 'pictures.example.org'],
  state: 'valid',
  issuer: 'Pebble',
  serial: '0A',
  fingerprint: 'AA:BB',
  keyType: 'ECDSA P-256',
  notBefore: at,
  notAfter: '2026-04-01T00:00:00.000Z',
  challenge: 'http-01',
  problem: null,
  step: null,
  nextAt: '2026-03-01T00:00:00.000Z',
  createdAt: at,
  changedAt: at,
}
const OLD: Certificate = { ...PHOTOS, id: '01a1fd3c-b7fd-7166-abd0-00000000000b', state: 'revoked' }
const BROUGHT: Certificate = {
  ...PHOTOS,
  id: '01a1fd3c-b7fd-7166-abd0-00000000000c',
  source: 'own',
  names: ['music.example.org'],
}
const AUTHORITY = {
  name: 'Kalnet authority abc123',
  fingerprint: 'CC:DD',
  notAfter: '2036-01-01T00:00:00.000Z',
  pem: '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
  der: 'MAA=',
}
const asked: string[] = []
let given: Partial<Certificate> = {}
let https = true
let home = NO_HOME
let server: Server
beforeAll(async () => {
  home = await temporaryHome()
  await mkdir(join(home.home, 'run'))
  server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = new URL(request.url ?? '', 'http://x').pathname
      if (request.method !== 'GET') asked.push(`${request.method} ${path} ${Buffer.concat(chunks)}`.trim())
      const rest = path.replace('/api/certificates', '')
      const body =
        rest === ''
          ? { items: [OLD, PHOTOS, BROUGHT], next: null }
          : rest === '/hosts'
            ? {
                items: [{ host: 'home.example', source: 'local', certificateId: null, notAfter: null }],
                next: null,
              }
            : rest === '/authority'
              ? { authority: https ? AUTHORITY : null, page: null }
              : request.method === 'DELETE'
                ? {}
                : rest === '/order' || rest.endsWith('/renew')
                  ? { ...PHOTOS, state: 'ordering', step: 'order' }
                  : { ...PHOTOS, ...given }
      answer.setHeader('content-type', 'application/json')
      answer.end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(join(home.home, 'run/control.sock'), resolve))
})
afterAll(async () => {
  server.close()
  await home.remove()
})
beforeEach(() => {
  asked.length = 0
  given = {}
  https = true
})
const line = (...args: string[]) => cli(home.home, 'cert', ...args)

describe('[NET-4.cli] kalnet cert', () => {
  it('ls says what there is, and what names are served with', async () => {
    const { out } = await line('ls')
    expect(out).toMatch(/photos\.example\.org pictures\.example\.org\s+ordered\s+revoked/)
    expect(out).toMatch(/music\.example\.org\s+brought\s+valid\s+2026-04-01/)
    expect(out).toMatch(/home\.example\s+local authority/)
    expect(JSON.parse((await line('ls', '--json')).out).items).toHaveLength(3)
  })
  it('show finds the one that is served by any of its names', async () => {
    expect((await line('show', 'pictures.example.org')).out).toContain(PHOTOS.id)
    expect((await line('show', '00000000000c')).out).toContain('music.example.org')
    const wrong = await line('show', 'nothing.example.org')
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('There is no certificate')])
  })
  it('import sends both files, and says which one is not there', async () => {
    const [certificate, key] = [join(home.home, 'a.pem'), join(home.home, 'a.key')]
    await writeFile(certificate, 'THE CHAIN')
    expect((await line('import', certificate, key)).err).toContain(`There is no file ${key}.`)
    await writeFile(key, 'THE KEY')
    const { code, out } = await line('import', certificate, key)
    expect([code, asked]).toEqual([
      0,
      ['POST /api/certificates/import {"certificate":"THE CHAIN","key":"THE KEY"}'],
    ])
    expect(out).not.toContain('THE KEY')
  })
  it('order asks to agree first, waits, and says what the authority said', async () => {
    expect((await line('order', 'photos.example.org')).code).toBe(2)
    expect(asked).toEqual([])
    expect((await line('order', 'photos.example.org', '--agree')).code).toBe(0)
    expect((await line('order', '*.example.org', '--dns', '--agree', '--no-wait')).out).toContain(
      'at the step: order',
    )
    given = { state: 'failed', problem: 'photos.example.org: nobody answers' }
    const refused = await line('order', 'photos.example.org', '--agree')
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('nobody answers')])
    expect(asked.slice(0, 2)).toEqual([
      'POST /api/certificates/order {"names":["photos.example.org"],"challenge":"http-01","agree":true}',
      'POST /api/certificates/order {"names":["*.example.org"],"challenge":"dns-01","agree":true}',
    ])
  })
  it.each([
    ['renew', `POST /api/certificates/${PHOTOS.id}/renew {}`],
    ['revoke', `POST /api/certificates/${PHOTOS.id}/revoke {}`],
    ['remove', `DELETE /api/certificates/${PHOTOS.id}`],
  ])('%s', async (verb, request) => {
    given = { serial: '0B' }
    expect((await line(verb, 'photos.example.org')).code).toBe(0)
    expect(asked).toEqual([request])
  })
  it('authority writes the form that the file is named for', async () => {
    const [pem, der] = [join(home.home, 'kalnet.pem'), join(home.home, 'kalnet.crt')]
    expect((await line('authority')).out).toContain('CC:DD')
    await line('authority', '--out', pem)
    await line('authority', '--out', der)
    expect(await readFile(pem, 'utf8')).toBe(AUTHORITY.pem)
    expect(await readFile(der)).toEqual(Buffer.from('MAA=', 'base64'))
    https = false
    const none = await line('authority')
    expect([none.code, none.err]).toEqual([4, expect.stringContaining('https is switched off')])
  })
  it.each(['', 'ls', 'show', 'authority', 'import', 'order', 'renew', 'revoke', 'remove'])(
    'help of %s has examples',
    async (verb) => {
      expect((await line(...(verb ? [verb] : []), '--help')).out).toContain('Examples:')
    },
  )
})
