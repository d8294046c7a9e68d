/** In the bench: our own engine in a process of its own; `/guarded` asks somebody else whether it may pass, as the others do. */
import { Agent, request } from 'node:http'
import { systemClock } from '@kalnet/io/clock'
import { createLog } from '@kalnet/io/log'
import { createEngine } from '@kalnet/server/gateway/engine/engine'
import { endpointOf, idOf, routeOf, snapshotOf } from '@kalnet/server/gateway/engine/testing/bench'
import { answer } from '../stream/processes.ts'

interface Start {
  upstreams: number[]
  policy?: object
  canary?: number
}
const agent = new Agent({ keepAlive: true })
let authPort = 0
const asked = () =>
  new Promise<string>((resolve, reject) => {
    const out = request({ host: '127.0.0.1', port: authPort, path: '/auth', agent }, (reply) => {
      reply.resume()
      reply.on('end', () => resolve(String(reply.headers['x-kalnet-user'])))
    })
    out.on('error', reject)
    out.end()
  })
const engine = createEngine({
  clock: systemClock,
  log: createLog('gateway', 'silent'),
  machine: null,
  listen: { host: '127.0.0.1', httpPort: 0, httpsPort: null, publicHttpsPort: null },
  dialTunnel: () => Promise.reject(new Error('no tunnel in a bench')),
  judge: async () => ({
    pass: true,
    headers: { 'X-Kalnet-User': await asked() },
    drop: [],
    signInId: null,
    userId: null,
  }),
  own: { hosts: () => [], request: () => undefined, upgrade: () => undefined },
  limits: { headersMs: 60_000, bodyMs: 60_000, stallMs: 60_000, connectionsByClient: 10_000 },
})
answer(async ({ upstreams, policy = {}, canary }: Start) => {
  authPort = upstreams[0] ?? 0
  const endpoints = upstreams.map((port, at) => endpointOf(port, { release: at === canary ? 2 : 1 }))
  await engine.apply(
    snapshotOf(
      [
        routeOf({ host: '127.0.0.1', policy }),
        routeOf({
          id: idOf(101),
          access: 'people',
          match: { kind: 'http', host: '127.0.0.1', pathPrefix: '/guarded' },
        }),
        // What it holds in a large household, so that looking up is not flattered.
        ...Array.from({ length: 1_000 }, (_, at) =>
          routeOf({ id: idOf(1_000 + at), host: `s${at}.localhost` }),
        ),
      ],
      endpoints,
    ),
  )
  await engine.listen()
  return { port: engine.addresses().http.port, figures: engine.figures()[0] }
})
