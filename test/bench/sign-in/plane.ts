/** A whole control plane with a PostgreSQL of its own, in a process of its own, with people to knock at its door. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { createLog } from '@kalnet/io/log'
import { startPostgres } from '@kalnet/server/core/postgres/postgres'
import { createServer } from '@kalnet/server/server'
import pg from 'pg'
import { ask } from '../../support/client.ts'
import { answer } from '../stream/processes.ts'

const PASSWORD = 'a lantern by the river'
const log = createLog('bench', 'error')
const home = await mkdtemp(join(tmpdir(), 'kalnet-bench-'))
const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true })
const postgres = await startPostgres({ dataFolder: folders.data, runtimeFolder: folders.runtime, log })
const port = Number(process.argv[2])
const config = configSchema.parse({ listen: { port } })
const server = await createServer({ config, folders, log, databaseUrl: postgres.url })
await server.listen()

/** The owner's cookie, and this many people with a password of their own. */
async function settle(people: number): Promise<{ cookie: string }> {
  const url = `http://127.0.0.1:${port}`
  const link = await server.identity.claims.issue()
  const token = new URL(link?.url ?? '').hash.slice(1)
  const owner = { name: 'Ada', email: 'ada@example.org', password: PASSWORD, organisationName: 'Home' }
  const claimed = await ask(url, {
    method: 'POST',
    path: '/api/claim',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...owner, token }),
  })
  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  await client.query('set role kalnet_system')
  await client.query(
    `insert into users (id, organisation_id, name, email, role, password_hash, created_at)
     select gen_random_uuid(), organisation_id, 'Somebody', 'known' || n || '@example.org', 'member', password_hash, now()
     from users, generate_series(1, $1) n where role = 'owner'`,
    [people],
  )
  await client.end()
  return { cookie: String(claimed.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '' }
}

answer(async (request: { settle?: number; end?: true }) => {
  if (request.settle !== undefined) return settle(request.settle)
  if (request.end) {
    await server.close()
    await postgres.stop()
    await rm(home, { recursive: true, force: true })
  }
  return null
})
