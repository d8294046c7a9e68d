/** The one door for WebSockets and raw upgrades: Origin, host and sign-in are judged here, and ended sign-ins are cut. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { fail, KalnetError } from '@kalnet/contracts/errors'
import { type Actor, can, type Permission, UNPROVED } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { refuseUpgrade } from '@kalnet/wire/raw'
import type { RecordAudit } from './audited.ts'
import { carriesKey } from './bearer.ts'
import type { Identified, SignIn } from './call.ts'
import type { Limits } from './limits.ts'
import { addressOf, assertOwnHost, assertSameOrigin, isLocal, networkOf, type OwnNames } from './origin.ts'
import { storeError } from './store-errors.ts'
import { createVisits, type Visit } from './visits.ts'

export interface Upgrade {
  /** 'same': browsers on our own origin only. 'none': programs, which send no Origin; with one it is refused. */
  origin: 'same' | 'none'
  signIn: 'required' | 'none'
  /** What one must be allowed at all to come in here. */
  permission?: Permission
  /** The socket is the handler's from here on; `actor` and `signIn` are there when required. */
  handle(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    actor: Actor | null,
    signIn: SignIn | null,
    visit: Visit,
  ): void
}

const PER_MINUTE = 6_000

export function createUpgrades(options: {
  log: Log
  limits: Limits
  own: OwnNames
  identify(request: IncomingMessage): Promise<Identified>
  record: RecordAudit
  clock: Clock
}) {
  const { log, limits, own, identify } = options
  const visits = createVisits(options)
  const doors = new Map<string, Upgrade>()
  const open = new Set<Duplex>()
  const bySignIn = new Map<string, Set<Duplex>>()

  function remember(socket: Duplex, signIn: SignIn | null) {
    open.add(socket)
    const mine = signIn ? (bySignIn.get(signIn.id) ?? new Set()) : null
    if (signIn && mine) bySignIn.set(signIn.id, mine.add(socket))
    socket.once('close', () => {
      open.delete(socket)
      mine?.delete(socket)
      if (signIn && mine?.size === 0) bySignIn.delete(signIn.id)
    })
  }

  async function admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? ''
    const door = doors.get(path)
    if (!door) throw fail('route.unknown')
    let who: Identified = { actor: null, signIn: null }
    const visit = visits(path, request, socket, () => who)
    try {
      await enter(door, request, (found) => {
        who = found
      })
    } catch (error) {
      visit.refused(error)
      throw error
    }
    if (socket.destroyed) return
    remember(socket, who.signIn)
    door.handle(request, socket, head, who.actor, who.signIn, visit)
  }

  /** Throws for whom the door stays shut; who it is, is told as soon as it is known. */
  async function enter(
    door: Upgrade,
    request: IncomingMessage,
    known: (who: Identified) => void,
  ): Promise<void> {
    assertOwnHost(request, own)
    // A browser always names its origin. A program with a key does not have one, and no page can make a browser send a key here.
    if (door.origin === 'same') assertSameOrigin(request, own, !carriesKey(request))
    else if (request.headers.origin !== undefined) throw fail('origin.foreign')
    if (!isLocal(request)) limits.count(`upgrade ${networkOf(addressOf(request))}`, PER_MINUTE)
    const who = door.signIn === 'required' ? await identify(request) : { actor: null, signIn: null }
    known(who)
    if (door.signIn === 'required' && !who.actor) throw fail('sign-in.required')
    if (door.permission && !can(who.actor, door.permission))
      throw fail(who.actor?.scopes === UNPROVED ? 'sign-in.unproved' : 'permission.denied')
  }

  return {
    add(path: string, door: Upgrade) {
      if (doors.has(path)) throw new Error(`two upgrade handlers for ${path}`)
      doors.set(path, door)
    },
    receive(request: IncomingMessage, socket: Duplex, head: Buffer) {
      // A peer that breaks off is no fault of ours; without a listener it would end the process.
      socket.on('error', () => socket.destroy())
      admit(request, socket, head).catch((thrown: unknown) => {
        const error = storeError(thrown)
        const known = error instanceof KalnetError ? error : fail('internal', {}, error)
        if (known.status >= 500)
          log.error({ code: known.code, cause: String(known.cause) }, 'an upgrade failed')
        refuseUpgrade(socket, known)
      })
    },
    /** Cuts every connection of a sign-in that has ended; the number of them. */
    cut(signInId: string): number {
      const sockets = [...(bySignIn.get(signInId) ?? [])]
      for (const socket of sockets) socket.destroy()
      return sockets.length
    },
    signIns: () => [...bySignIn.keys()],
    closeAll() {
      for (const socket of open) socket.destroy()
    },
  }
}
