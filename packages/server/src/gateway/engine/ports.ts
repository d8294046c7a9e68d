/** The ports of TCP and UDP routes: opened and closed as routes come and go; what cannot be opened is said, and tried again. */
import type { Problem } from './interface.ts'
import type { Rotation } from './rotation.ts'
import { listenTcp, type PortRoutes } from './tcp.ts'
import { listenUdp, type UdpOptions } from './udp.ts'

interface Open {
  close(): Promise<void>
}
/** A port that was taken is tried again so often. */
const AGAIN_MS = 10_000

export function createPorts(given: UdpOptions) {
  const { log } = given.options
  const open = new Map<string, Open>()
  let tcp = new Map<number, PortRoutes>()
  let udp = new Map<number, Rotation>()
  let problems = new Map<string, Problem[]>()
  let again: NodeJS.Timeout | null = null
  let closed = false
  let turn: Promise<void> = Promise.resolve()

  function sort(rotations: Iterable<Rotation>) {
    tcp = new Map()
    udp = new Map()
    for (const rotation of rotations) {
      const { match } = rotation.route
      if (match.kind === 'udp') udp.set(match.listen, rotation)
      if (match.kind !== 'tcp') continue
      const routes = tcp.get(match.listen) ?? { byName: new Map<string, Rotation>(), rest: null }
      if (match.sni === null) routes.rest = rotation
      else routes.byName.set(match.sni, rotation)
      tcp.set(match.listen, routes)
    }
  }
  const routesAt = (kind: string, port: number): Rotation[] => {
    const found = kind === 'udp' ? udp.get(port) : undefined
    const streams = kind === 'tcp' ? tcp.get(port) : undefined
    return [found, streams?.rest ?? undefined, ...(streams?.byName.values() ?? [])].filter(
      (it) => it !== undefined,
    )
  }
  async function settle(): Promise<void> {
    const wanted = new Map<string, { kind: 'tcp' | 'udp'; port: number }>()
    if (!closed) {
      for (const port of tcp.keys()) wanted.set(`tcp ${port}`, { kind: 'tcp', port })
      for (const port of udp.keys()) wanted.set(`udp ${port}`, { kind: 'udp', port })
    }
    for (const [key, port] of open) {
      if (wanted.has(key)) continue
      open.delete(key)
      await port.close()
    }
    problems = new Map()
    for (const [key, { kind, port }] of wanted) {
      if (open.has(key)) continue
      try {
        const close =
          kind === 'tcp'
            ? await listenTcp(port, () => tcp.get(port) ?? null, given)
            : await listenUdp(port, () => udp.get(port) ?? null, given)
        open.set(key, { close })
      } catch (error) {
        const { code = 'unknown' } = error as NodeJS.ErrnoException
        const problem =
          code === 'EADDRINUSE'
            ? `port ${port} is held by another program`
            : code === 'EACCES'
              ? `port ${port} needs a right that this program does not have`
              : `port ${port} could not be opened (${code})`
        log.warn({ port, kind, code }, 'a port could not be opened')
        problems.set(
          key,
          routesAt(kind, port).map(({ route }) => ({ routeId: route.id, problem })),
        )
      }
    }
    if (problems.size > 0 && !closed && !again)
      again = setTimeout(() => {
        again = null
        void next()
      }, AGAIN_MS).unref()
  }
  /** One after the other: a port must be closed before it is opened anew. */
  const next = () => {
    turn = turn.then(settle)
    return turn
  }
  return {
    apply(rotations: Iterable<Rotation>): Promise<void> {
      sort(rotations)
      return next()
    },
    problems: (): Problem[] => [...problems.values()].flat(),
    close(): Promise<void> {
      closed = true
      if (again) clearTimeout(again)
      return next()
    },
  }
}
