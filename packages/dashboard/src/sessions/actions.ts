/** What can be done to a session, each with its visible end. */
import type { Session } from '@kalnet/contracts/session'
import { useMutation } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { useLocation } from 'wouter'
import { ApiProblem, call, isCancelled, ROUTES } from '../api.ts'
import { applyEvent } from '../apply-event.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { toast } from '../ui/toast.ts'

/** Our own answer reaches the screen at once; the event that follows says the same. */
export const know = (session: Session) => applyEvent(queryClient, 'session.changed', session)

export function tellProblem(problem: unknown): void {
  if (isCancelled(problem)) return
  const known = problem instanceof ApiProblem
  toast({
    tone: 'bad',
    text: known ? problem.message : m.problemPage,
    more: known ? `${problem.next} (${problem.code})` : m.problemPageNext,
  })
}

export interface LaunchInput {
  templateId: string
  name?: string
  platform?: Session['platform']
  answers?: Record<string, string | number | boolean>
}
/** One click: asks for it and goes to its screen, where the start is shown. */
export function useLaunch() {
  const [, go] = useLocation()
  return useMutation({
    mutationFn: ({ platform, ...rest }: LaunchInput) =>
      call(ROUTES.sessions.launch, {
        body: { ...rest, platform: platform ?? undefined },
        idempotencyKey: crypto.randomUUID(),
      }),
    onSuccess: (session) => {
      know(session)
      go(`/s/${session.id}`)
    },
    onError: tellProblem,
  })
}

export function useStop() {
  return useMutation({
    mutationFn: (session: Session) => call(ROUTES.sessions.stop, { params: { id: session.id } }),
    onSuccess: (session) => {
      know(session)
      toast({ tone: 'good', text: m.stopped(session.name) })
    },
    onError: tellProblem,
  })
}

export function useRestart() {
  return useMutation({
    mutationFn: (session: Session) => call(ROUTES.sessions.restart, { params: { id: session.id } }),
    onSuccess: (session) => {
      know(session)
      toast({ tone: 'good', text: m.restarted(session.name) })
    },
    onError: tellProblem,
  })
}

export function useSleep() {
  return useMutation({
    mutationFn: (session: Session) => call(ROUTES.sessions.hibernate, { params: { id: session.id } }),
    onSuccess: (session) => {
      know(session)
      toast({ tone: 'good', text: m.asleep(session.name) })
    },
    onError: tellProblem,
  })
}

export function useWake() {
  return useMutation({
    mutationFn: (session: Session) => call(ROUTES.sessions.wake, { params: { id: session.id } }),
    onSuccess: (session) => {
      know(session)
      toast({ tone: 'good', text: m.wakingUp(session.name) })
    },
    onError: tellProblem,
  })
}

/** Sessions taken off the list a moment ago: gone from sight at once, and for good when nobody takes it back. */
let leaving: ReadonlySet<string> = new Set()
const watchers = new Set<() => void>()
const setLeaving = (next: ReadonlySet<string>) => {
  leaving = next
  for (const watcher of watchers) watcher()
}
const watchLeaving = (watcher: () => void) => {
  watchers.add(watcher)
  return () => void watchers.delete(watcher)
}
export const useLeaving = () => useSyncExternalStore(watchLeaving, () => leaving)
/** As long as the notice with "Undo" is shown. */
const UNDO_MS = 6_000

/** Undo instead of "are you sure": nothing is asked of the server until the time for it has passed. */
export function removeWithUndo(session: Session): void {
  const stay = () => setLeaving(new Set([...leaving].filter((id) => id !== session.id)))
  setLeaving(new Set([...leaving, session.id]))
  const timer = setTimeout(() => {
    call(ROUTES.sessions.remove, { params: { id: session.id } })
      .then(() => applyEvent(queryClient, 'session.removed', { id: session.id }), tellProblem)
      .finally(stay)
  }, UNDO_MS)
  const undo = () => {
    clearTimeout(timer)
    stay()
  }
  toast({
    tone: 'good',
    text: (session.state === 'hibernated' ? m.deleted : m.removed)(session.name),
    action: { label: m.undo, onPress: undo },
  })
}
