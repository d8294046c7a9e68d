/** The supervisor's unix socket: `GET /status`, `POST /stop`; only its own user reaches it. */
import { chmod, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Folders } from '@kalnet/io/folders'
import { supervisorSocket } from '../sockets.ts'
import type { SupervisorStatus } from './state.ts'

interface Control {
  status(): SupervisorStatus
  stop(): void
}

export async function serveControl(folders: Folders, control: Control): Promise<{ close(): Promise<void> }> {
  const path = supervisorSocket(folders)
  // The lock is ours, so whatever lies here is a dead supervisor's.
  await rm(path, { force: true })
  const server = createServer((request, answer) => {
    const say = (status: number, body: unknown) => {
      answer.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
      answer.end(JSON.stringify(body))
    }
    if (request.method === 'GET' && request.url === '/status') return say(200, control.status())
    if (request.method === 'POST' && request.url === '/stop') {
      say(202, {})
      return control.stop()
    }
    say(404, { error: 'unknown' })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  await chmod(path, 0o600)
  return {
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
