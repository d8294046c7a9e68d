/** A control plane as a process of its own, to be killed: `node server.ts <port> <database url> <home>`. Says `ready` when it serves. */
import { join } from 'node:path'
import { config as configSchema } from '@kalnet/contracts/config'
import { createLog } from '@kalnet/io/log'
import { createServer } from '@kalnet/server/server'

const [port, databaseUrl = '', home = ''] = process.argv.slice(2)
// What is written together is kept together: both servers have one configuration (one master key), each its own sockets.
const folders = { data: join(home, 'data'), runtime: join(home, `run-${port}`), config: join(home, 'config') }
const server = await createServer({
  config: configSchema.parse({ listen: { port: Number(port) } }),
  folders,
  log: createLog('server', 'error'),
  databaseUrl,
})
await server.listen()
process.stdout.write('ready\n')
