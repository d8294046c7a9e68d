/** A control plane with its gateway as a process of its own: `node server.ts <ports as JSON> <database url> <home>`. Says `ready <claim link>`. */
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { createLog } from '@kalnet/io/log'
import { createServer } from '@kalnet/server/server'

const [given = '{}', databaseUrl = '', home = ''] = process.argv.slice(2)
const server = await createServer({
  config: configSchema.parse(JSON.parse(given)),
  folders: { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') },
  log: createLog('server', 'error'),
  databaseUrl,
  catalogFolder: join(home, 'catalog'),
})
await server.listen()
const link = await server.identity.claims.issue()
process.stdout.write(`ready ${link?.url ?? ''}\n`)
