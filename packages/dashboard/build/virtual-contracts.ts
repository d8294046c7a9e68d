/**
 * `virtual:contracts`: the routes' methods and paths and a few constants, read from the contracts when building.
 * The browser needs these few kilobytes of facts, not the schema library that they are written in.
 */
import type { Plugin } from 'vite'

const NAME = 'virtual:contracts'
const RESOLVED = `\0${NAME}`
/** What only programs call; the browser need not carry it. `virtual.d.ts` leaves out the same. */
const FOR_PROGRAMS = ['dashboard', 'joinedGateways', 'keepers', 'local', 'registry', 'scim']

async function emit(): Promise<string> {
  const [{ ROUTES }, stream, event, session, { PERMISSIONS }, viewing] = await Promise.all([
    import('../../contracts/src/routes.ts'),
    import('../../contracts/src/stream.ts'),
    import('../../contracts/src/event.ts'),
    import('../../contracts/src/session.ts'),
    import('../../contracts/src/permission.ts'),
    import('../../contracts/src/viewing.ts'),
  ])
  const routes = Object.fromEntries(
    Object.entries(ROUTES)
      .filter(([area]) => !FOR_PROGRAMS.includes(area))
      .map(([area, group]) => [
        area,
        Object.fromEntries(Object.entries(group).map(([name, { method, path }]) => [name, { method, path }])),
      ]),
  )
  const facts: Record<string, unknown> = {
    ROUTES: routes,
    PERMISSIONS,
    STAGES: session.STAGES,
    LIVE_PATH: event.LIVE_PATH,
    STREAM_PATH: stream.STREAM_PATH,
    STREAM_PROTOCOL: stream.STREAM_PROTOCOL,
    TICKET_PREFIX: stream.TICKET_PREFIX,
    STREAM_CLOSE: stream.STREAM_CLOSE,
    VIEWING_EVERY_MS: viewing.VIEWING_EVERY_MS,
  }
  return Object.entries(facts)
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}`)
    .join('\n')
}

export function virtualContracts(): Plugin {
  return {
    name: 'kalnet:virtual-contracts',
    resolveId: (id) => (id === NAME ? RESOLVED : undefined),
    load: (id) => (id === RESOLVED ? emit() : undefined),
  }
}
