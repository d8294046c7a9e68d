/** `npm run dev` without a control plane: the stand-in answers. `KALNET_WORLD=many` shows another of its worlds. */
import type { Plugin } from 'vite'
import { WORLDS } from './fixtures.ts'
import { createStandIn } from './stand-in.ts'

export function standIn(): Plugin {
  return {
    name: 'kalnet:stand-in',
    configureServer(server) {
      const world = WORLDS.find((it) => it === process.env.KALNET_WORLD)
      const it = createStandIn(world)
      server.middlewares.use((request, response, next) => {
        it.handle(request, response).then((done) => done || next(), next)
      })
      server.httpServer?.on('upgrade', (request, socket, head) => void it.upgrade(request, socket, head))
    },
  }
}
