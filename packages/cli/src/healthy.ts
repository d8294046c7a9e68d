/**
 * What the image's health check runs, alone and small, for it runs every ten seconds. Ends with 0 when the control plane of this container
 * answers on its control socket, which it does only while it also reads its database; with the word `controller`, when that one's heartbeats
 * go out.
 */
import { request } from 'node:http'
import { join } from 'node:path'
import { beatProblem } from '@kalnet/controller/beat'
import { folders } from '@kalnet/io/folders'

const LIMIT_MS = 8_000

function refuse(problem: string): never {
  process.stderr.write(`${problem}\n`)
  process.exit(1)
}

function askControlPlane(): void {
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
  call.on('error', (error) => refuse(error.message))
  call.end()
}

if (process.argv[2] === 'controller') {
  const problem = await beatProblem(folders(), Date.now())
  if (problem) refuse(problem)
} else askControlPlane()
