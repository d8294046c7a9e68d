/**
 * `virtual:contracts`: the routes' methods and paths and a few constants, read from the contracts when building.
 * The browser needs these few kilobytes of facts, not the schema library that they are written in.
 */
import type { Plugin } from 'vite'

const NAME = 'virtual:contracts'
const RESOLVED = `\0${NAME}`
/** What only programs call; the browser need not carry it. `virtual.d.ts` leaves out the same. */
const FOR_PROGRAMS = ['dashboard', 'joinedGateways', 'keepers', 'local', 'registry', 'scim']

/** A module for each area of the routes, so that a page brings the addresses it asks and no others. */
const areaOf = (area: string) => `${RESOLVED}/${area}`

async function areas(): Promise<[string, Record<string, { method: string; path: string }>][]> {
  const { ROUTES } = await import('../../contracts/src/routes.ts')
  return Object.entries(ROUTES).filter(([area]) => !FOR_PROGRAMS.includes(area))
}

/** Names of routes may be words that a program keeps for itself, so they are given where they leave. */
async function emitArea(area: string): Promise<string> {
  const group = (await areas()).find(([name]) => name === area)?.[1] ?? {}
  return Object.entries(group)
    .map(
      ([name, { method, path }], at) =>
        `const r${at} = ${JSON.stringify({ method, path })}\nexport { r${at} as ${name} }`,
    )
    .join('\n')
}
const emitRoutes = async () =>
  (await areas()).map(([area]) => `export * as ${area} from ${JSON.stringify(areaOf(area))}`).join('\n')

async function emit(): Promise<string> {
  const [stream, event, session, { PERMISSIONS }, viewing] = await Promise.all([
    import('../../contracts/src/stream.ts'),
    import('../../contracts/src/event.ts'),
    import('../../contracts/src/session.ts'),
    import('../../contracts/src/permission.ts'),
    import('../../contracts/src/viewing.ts'),
  ])
  const facts: Record<string, unknown> = {
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
    .concat(`export * as ROUTES from ${JSON.stringify(areaOf('routes'))}`)
    .join('\n')
}

export function virtualContracts(): Plugin {
  return {
    name: 'kalnet:virtual-contracts',
    resolveId: (id) => (id === NAME ? RESOLVED : id.startsWith(`${RESOLVED}/`) ? id : undefined),
    load: (id) => {
      if (id === RESOLVED) return emit()
      if (id === areaOf('routes')) return emitRoutes()
      return id.startsWith(`${RESOLVED}/`) ? emitArea(id.slice(RESOLVED.length + 1)) : undefined
    },
  }
}
