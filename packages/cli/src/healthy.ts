/**
 * What the image's health check runs: ends with 0 when the control plane of this container answers on its control socket, which it
 * does only while it also reads its database. Alone and small, for it runs every ten seconds.
 */
import { request } from 'node:http'
import { join } from 'node:path'
import { folders } from '@kalnet/io/folders'

const LIMIT_MS = 8_000

const call = request(
  {
    socketPath: join(folders().runtime, 'control.sock'),
    path: '/api/status',
    headers: { host: 'localhost' },
    timeout: LIMIT_MS,
  },
  (answer) => {
    answer.resume()
    answer.on('end', () => process.exit(answer.statusCode === 200 ? 0 : 1))
  },
)
call.on('timeout', () => call.destroy(new Error(`no answer within ${LIMIT_MS / 1000} s`)))
call.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
call.end()
