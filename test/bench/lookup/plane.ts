/** A whole control plane in a process of its own, with ten thousand endpoints to be found by HTTP and DNS. */
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

const log = createLog('bench', 'error')
const home = await mkdtemp(join(tmpdir(), 'kalnet-bench-'))
const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true })
const postgres = await startPostgres({ dataFolder: folders.data, runtimeFolder: folders.runtime, log })
const [port, dnsPort, httpPort] = process.argv.slice(2).map(Number)
const config = configSchema.parse({
  listen: { port },
  dns: { enabled: true, port: dnsPort },
  gateway: { httpPort },
})
const server = await createServer({ config, folders, log, databaseUrl: postgres.url })
await server.listen()
const url = `http://127.0.0.1:${port}`
const client = new pg.Client({ connectionString: postgres.url })
await client.connect()
await client.query('set role kalnet_system')

const call = async (method: string, path: string, body: object, cookie = '') => {
  const headers = { 'content-type': 'application/json', origin: url, ...(cookie ? { cookie } : {}) }
  return ask(url, { method, path, headers, body: JSON.stringify(body) })
}

/** The owner's cookie and a service key; this many services with four endpoints each. */
async function settle(services: number): Promise<{ cookie: string; token: string; organisationId: string }> {
  const link = await server.identity.claims.issue()
  const token = new URL(link?.url ?? '').hash.slice(1)
  const owner = {
    name: 'Ada',
    email: 'ada@example.org',
    password: 'a lantern by the river',
    organisationName: 'Home',
  }
  const claimed = await call('POST', '/api/claim', { ...owner, token })
  const cookie = String(claimed.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? ''
  const made = await call(
    'POST',
    '/api/me/keys',
    { name: 'bench', scopes: ['service.read'], expiresInDays: 1 },
    cookie,
  )
  const { rows } = await client.query('select id from organisations')
  const organisationId: string = rows[0].id
  await client.query(
    `with s as (
       insert into services (id, organisation_id, name, title, kind, desired, metadata, created_at, changed_at)
       select gen_random_uuid(), $1, 'service-' || n, 'Service', 'outside', 'running',
         '{"version":"1.0","tags":["bench"],"capabilities":["http"]}', now(), now()
       from generate_series(1, $2::int) n returning id)
     insert into registrations (id, organisation_id, service_id, instance, ports, ttl_ms, expires_at)
     select gen_random_uuid(), $1, s.id, 'i' || k,
       jsonb_build_array(jsonb_build_object('name', 'web', 'kind', 'http', 'host', '10.1.0.' || k, 'port', 8000 + k)),
       86400000, now() + interval '1 day'
     from s, generate_series(1, 4) k`,
    [organisationId, services],
  )
  // They came without their events: one for each, as a registration makes it.
  await client.query(
    `insert into events (type, organisation_id, at, data)
     select 'service.changed', $1, now(), jsonb_build_object('id', id) from services where name like 'service-%'`,
    [organisationId],
  )
  await client.query(`select pg_notify('kalnet_events', '')`)
  return { cookie, token: (made.body as { token: string }).token, organisationId }
}

answer(async (request: { settle?: number; move?: { name: string; host: string }; end?: true }) => {
  if (request.settle !== undefined) return settle(request.settle)
  if (request.move) {
    // One statement, so that it is committed when this answers.
    await client.query(
      `with s as (select id, organisation_id from services where name = $1),
         r as (update registrations set ports = jsonb_set(ports, '{0,host}', to_jsonb($2::text)) from s where service_id = s.id),
         e as (insert into events (type, organisation_id, at, data)
           select 'service.changed', organisation_id, now(), jsonb_build_object('id', id) from s)
       select pg_notify('kalnet_events', '')`,
      [request.move.name, request.move.host],
    )
    return null
  }
  if (request.end) {
    await client.end()
    await server.close()
    await postgres.stop()
    await rm(home, { recursive: true, force: true })
  }
  return null
})
