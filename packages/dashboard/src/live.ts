/** Live by default: one WebSocket feeds the cache, resumes where it left off, and is replaced by asking every 5 s. */

import { LIVE_PATH } from 'virtual:contracts'
import type { LiveMessage } from '@kalnet/contracts/event'
import { useSyncExternalStore } from 'react'
import { onServer, tell } from './api.ts'
import { applyEvent } from './apply-event.ts'
import { queryClient } from './queries.ts'

/** live: events arrive. asking: the socket does not open, so everything is asked again every 5 s. away: nothing answers. */
export interface Link {
  state: 'starting' | 'live' | 'asking' | 'away'
  /** When the server was last heard, in ms since 1970. */
  heardAt: number
}

const ASK_EVERY_MS = 5_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 8_000

let link: Link = { state: 'starting', heardAt: Date.now() }
const listeners = new Set<() => void>()
function change(next: Partial<Link>): void {
  const moved = next.state !== undefined && next.state !== link.state
  link = { ...link, ...next }
  if (moved) for (const listener of listeners) listener()
}
const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}
export const useLink = () => useSyncExternalStore(subscribe, () => link)

/** Runs until the signal: meant for the time that somebody is signed in. */
export function followLive(signal: AbortSignal): void {
  let cursor: string | null = null
  let wait = FIRST_WAIT_MS
  let timer: ReturnType<typeof setTimeout> | undefined
  let asking: ReturnType<typeof setInterval> | undefined
  let socket: WebSocket | undefined

  const refetchAll = () => void queryClient.invalidateQueries()
  const startAsking = () => {
    asking ??= setInterval(refetchAll, ASK_EVERY_MS)
  }
  const stopAsking = () => {
    clearInterval(asking)
    asking = undefined
  }

  const take = (message: LiveMessage) => {
    tell('heard')
    if (message.type === 'ready') {
      // A first `ready` gives the cursor that our first answers may already be behind of; a resumed one follows its events.
      if (cursor === null) refetchAll()
      wait = FIRST_WAIT_MS
      stopAsking()
      change({ state: 'live', heardAt: Date.now() })
    } else if (message.type === 'gap') refetchAll()
    else applyEvent(queryClient, message.event, message.data)
    cursor = message.cursor
  }

  const open = () => {
    if (signal.aborted) return
    clearTimeout(timer)
    socket = new WebSocket(LIVE_PATH)
    const mine = socket
    mine.onopen = () => mine.send(JSON.stringify({ type: 'hello', after: cursor }))
    mine.onmessage = ({ data }) => take(JSON.parse(String(data)) as LiveMessage)
    mine.onclose = () => {
      if (signal.aborted || socket !== mine) return
      if (link.state === 'live') {
        change({ state: 'asking' })
        refetchAll()
      }
      startAsking()
      timer = setTimeout(open, wait * (0.75 + Math.random() / 2))
      wait = Math.min(LONGEST_WAIT_MS, wait * 2)
    }
  }
  const openNow = () => {
    if (link.state === 'live') return
    wait = FIRST_WAIT_MS
    socket?.close()
    socket = undefined
    open()
  }

  onServer(
    'heard',
    () => change(link.state === 'live' ? { heardAt: Date.now() } : { state: 'asking', heardAt: Date.now() }),
    signal,
  )
  onServer('lost', () => change({ state: 'away' }), signal)
  window.addEventListener('online', openNow, { signal })
  signal.addEventListener('abort', () => {
    clearTimeout(timer)
    stopAsking()
    socket?.close()
    link = { state: 'starting', heardAt: Date.now() }
  })
  open()
}
