/** What each service of the catalog is asked in its own protocol: something is written, and after a new start it is still there. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { must, run } from '@kalnet/io/spawn'
import { Client, type ClientConfig } from 'pg'
import { expect } from 'vitest'
import type { Way } from './way.ts'

export interface Talk {
  answers?: Record<string, string>
  write(way: Way): Promise<void>
  read(way: Way): Promise<void>
}

const LIMIT_MS = 60_000
const DATE =
  'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:tea\r\nDTSTAMP:20260101T100000Z\r\nDTSTART:20260102T150000Z\r\nSUMMARY:Tea with Grace\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n'
const SHARE_PASSWORD = 'Sample-1234-sample'

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kalnet-talk-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const said = async (call: ReturnType<Way['http']>): Promise<string> => {
  const { status, body } = await call
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  expect([200, 201, 204, 207], text.slice(0, 300)).toContain(status)
  return text
}

/** npm refuses to publish where it has nothing to show, even if nobody asks. */
const npmKey = ({ program }: Way): string =>
  program
    ? `_auth=${Buffer.from(`${program.username}:${program.secret}`).toString('base64')}`
    : '_authToken=none'

/** npm as a person uses it, with nothing of this machine's settings but what it needs to run. */
async function npm(way: Way, folder: string, ...words: string[]): Promise<string> {
  const { host, port } = await way.place()
  const place = `//${host}:${port}/`
  await writeFile(
    join(folder, '.npmrc'),
    `registry=http:${place}\n${place}:${npmKey(way)}\nreplace-registry-host=always\nupdate-notifier=false\n`,
  )
  const env = {
    ...process.env,
    npm_config_cache: join(folder, '.cache'),
    npm_config_userconfig: join(folder, '.npmrc'),
  }
  return (await must('npm', words, { cwd: folder, env, timeoutMs: LIMIT_MS })).stdout
}

/** A database that takes connections may still be reading its log: it says so (57P03), and clients ask again. */
async function connected(where: ClientConfig): Promise<Client> {
  const until = systemClock.now().getTime() + LIMIT_MS
  while (true) {
    const client = new Client(where)
    try {
      await client.connect()
      return client
    } catch (error) {
      const isStarting = error instanceof Error && 'code' in error && error.code === '57P03'
      if (!isStarting || systemClock.now().getTime() > until) throw error
      await systemClock.sleep(100)
    }
  }
}

async function sql(way: Way, text: string): Promise<unknown[]> {
  const { host, port } = await way.place()
  const client = await connected({ host, port, user: 'app', database: 'app', password: way.secrets.password })
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function share(way: Way, folder: string, orders: string, password = SHARE_PASSWORD) {
  const { host, port } = await way.place()
  const words = [
    `//${host}/files`,
    '-p',
    String(port),
    '-U',
    `family%${password}`,
    '-m',
    'SMB3',
    '-c',
    orders,
  ]
  return run('smbclient', words, { cwd: folder, timeoutMs: LIMIT_MS })
}

export const TALKS: Record<string, Talk> = {
  site: {
    async write(way) {
      expect(await said(way.http('/'))).toContain('A page of our own')
      expect((await way.http('/.hidden')).status).toBe(404)
    },
    async read(way) {
      expect(await said(way.http('/style.css'))).toContain('border-radius')
    },
  },
  radicale: {
    async write(way) {
      expect(await said(way.http('/', { method: 'PROPFIND', headers: { depth: '0' } }))).toContain('/ada/')
      expect((await way.http('/ada/home/', { method: 'MKCALENDAR' })).status).toBe(201)
      const put = { method: 'PUT', headers: { 'content-type': 'text/calendar' }, body: DATE }
      expect((await way.http('/ada/home/tea.ics', put)).status).toBe(201)
      // Somebody else's collection.
      expect((await way.http('/grace/', { method: 'PROPFIND' })).status).toBe(403)
    },
    async read(way) {
      expect(await said(way.http('/ada/home/tea.ics'))).toContain('Tea with Grace')
    },
  },
  'node-red': {
    async write(way) {
      expect(await said(way.http('/'))).toContain('Node-RED')
      const flow = JSON.stringify([{ id: 'f1', type: 'tab', label: 'Evening lights' }])
      const headers = { 'content-type': 'application/json' }
      await said(way.http('/flows', { method: 'POST', headers, body: flow }))
    },
    async read(way) {
      expect(await said(way.http('/flows'))).toContain('Evening lights')
    },
  },
  verdaccio: {
    write: (way) =>
      inFolder(async (folder) => {
        const about = { name: '@home/lamp', version: '1.2.3', main: 'lamp.js' }
        await writeFile(join(folder, 'package.json'), JSON.stringify(about))
        await writeFile(join(folder, 'lamp.js'), "module.exports = 'lit'\n")
        await npm(way, folder, 'publish', '--access=public')
      }),
    read: (way) =>
      inFolder(async (folder) => {
        await writeFile(join(folder, 'package.json'), '{"name":"x","version":"1.0.0"}')
        await npm(way, folder, 'install', '@home/lamp', '--no-audit', '--no-fund')
        expect(await readFile(join(folder, 'node_modules/@home/lamp/lamp.js'), 'utf8')).toContain('lit')
      }),
  },
  tiddlywiki: {
    async write(way) {
      expect(await said(way.http('/status'))).toContain('"username":"ada"')
      const headers = { 'content-type': 'application/json', 'x-requested-with': 'TiddlyWiki' }
      const body = JSON.stringify({ title: 'Shopping', text: 'Milk and bread' })
      await said(way.http('/recipes/default/tiddlers/Shopping', { method: 'PUT', headers, body }))
    },
    async read(way) {
      expect(await said(way.http('/recipes/default/tiddlers/Shopping'))).toContain('Milk and bread')
    },
  },
  samba: {
    answers: { password: SHARE_PASSWORD },
    write: (way) =>
      inFolder(async (folder) => {
        await writeFile(join(folder, 'letter.txt'), 'Dear Grace')
        const put = await share(way, folder, 'put letter.txt')
        expect(put.code, put.stdout + put.stderr).toBe(0)
        expect((await share(way, folder, 'ls', 'not-the-password')).code).not.toBe(0)
      }),
    read: (way) =>
      inFolder(async (folder) => {
        const got = await share(way, folder, 'get letter.txt')
        expect(got.code, got.stdout + got.stderr).toBe(0)
        expect(await readFile(join(folder, 'letter.txt'), 'utf8')).toBe('Dear Grace')
      }),
  },
  postgresql: {
    async write(way) {
      await sql(way, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('here')")
      await expect(sql({ ...way, secrets: { password: 'wrong' } }, 'SELECT 1')).rejects.toThrow(/password/)
    },
    async read(way) {
      expect(await sql(way, 'SELECT word FROM kept')).toEqual([{ word: 'here' }])
    },
  },
  synapse: {
    async write(way) {
      expect(await said(way.http('/_matrix/client/versions'))).toContain('v1.11')
      const flows = await said(way.http('/_matrix/client/v3/login'))
      expect(flows).toContain('m.login.sso')
      expect(flows).not.toContain('m.login.password')
      // Other servers are not talked to: that part is not even there.
      expect((await way.http('/_matrix/federation/v1/version')).status).toBe(404)
    },
    async read(way) {
      const to = encodeURIComponent('http://localhost/')
      const answer = await way.http(`/_matrix/client/v3/login/sso/redirect/oidc-kalnet?redirectUrl=${to}`)
      expect(answer.status).toBe(302)
      expect(answer.headers.location).toMatch(/\/oidc\/auth\?.*code_challenge=/)
    },
  },
  minetest: {
    // Protocol, no peer yet, channel 0, an original packet: the server gives this peer a number (control, set peer id).
    async write(way) {
      const answer = await way.packet(Buffer.from('4f4574030000000001', 'hex'))
      expect(answer.subarray(0, 4).toString('hex')).toBe('4f457403')
    },
    async read(way) {
      const answer = await way.packet(Buffer.from('4f4574030000000001', 'hex'))
      expect(answer.subarray(0, 4).toString('hex')).toBe('4f457403')
    },
  },
}
