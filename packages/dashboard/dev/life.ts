/** The stand-in's sessions: started in about two seconds, stopped, started again. */
import { randomUUID } from 'node:crypto'
import type { Session } from '@kalnet/contracts/session'
import { HOME, ME, makeSession, type State } from './fixtures.ts'

/** What the machine of those that sleep keeps. */
export const homesOf = ({ sessions }: State) => {
  const there = sessions.filter((it) => it.home !== null)
  const bytes = there.reduce((sum, it) => sum + (it.home?.bytes ?? 0), 0)
  const controllerId = there[0]?.controllerId ?? randomUUID()
  return { controllerId, homes: there.length, bytes, reservedBytes: 0, unknown: 0 }
}

export const ended = (it: Session) => it.state === 'stopped' || it.state === 'failed'

/** How the next start goes. */
export interface How {
  failNext: boolean
  hold: boolean
}
export function createLife(state: () => State, publish: (event: string, data: unknown) => void) {
  let how: How = { failNext: false, hold: false }
  let made = 0
  const put = (id: string, change: (it: Session) => Session) => {
    state().sessions = state().sessions.map((it) => (it.id === id ? change(it) : it))
    const session = state().sessions.find((it) => it.id === id)
    if (session) publish('session.changed', session)
    return session
  }
  const now = () => new Date().toISOString()
  /** The life of a start, in about two seconds. */
  const begin = (id: string, fails: boolean) => {
    const later = (ms: number, change: (it: Session) => Session) =>
      setTimeout(() => {
        const session = state().sessions.find((it) => it.id === id)
        if (session && !ended(session) && session.state !== 'stopping') put(id, change)
      }, ms).unref()
    const stage =
      (name: keyof Session['stages'], rest: Partial<Session> = {}) =>
      (it: Session) => ({
        ...it,
        ...rest,
        stages: { ...it.stages, [name]: now() },
      })
    later(
      150,
      stage('placed', {
        state: 'starting',
        platform: 'process',
        controllerName: 'This machine',
        controllerId: ME.id,
        reachable: true,
      }),
    )
    later(400, (it) => ({ ...it, progress: { step: 'image', text: 'Unpacking its files', share: 0.3 } }))
    later(900, (it) => ({ ...it, progress: { step: 'image', text: 'Unpacking its files', share: 0.8 } }))
    // A picture of a start needs one that does not go on meanwhile.
    if (how.hold) return
    later(1300, stage('created', { progress: { step: 'ready', text: 'Opening its screen', share: null } }))
    later(
      1900,
      fails
        ? (it) => ({
            ...it,
            state: 'failed',
            progress: null,
            endedAt: now(),
            reason: 'Its program ended before it had drawn anything (code 127).',
            logTail: [
              'Xvnc: starting on :1',
              'xterm: error while loading shared libraries: libXaw.so.7',
              'session: the program ended with code 127',
            ],
          })
        : stage('displayReady', { state: 'running', progress: null }),
    )
  }
  const launch = (body: Record<string, unknown>): Session => {
    const template = state().templates.find((it) => it.id === body.templateId) ?? state().templates[0]
    made += 1
    const session = makeSession(700 + made, {
      id: randomUUID(),
      name: String(body.name ?? template?.name),
      templateId: template?.id ?? 'terminal',
      templateName: template?.name ?? 'Terminal',
      state: 'pending',
      platform: null,
      controllerId: null,
      controllerName: null,
      createdAt: now(),
      stages: {
        accepted: now(),
        placed: null,
        created: null,
        displayReady: null,
        firstByte: null,
        firstFrame: null,
      },
    })
    state().sessions = [session, ...state().sessions]
    begin(session.id, how.failNext)
    return session
  }
  const restart = (id: string) => {
    const session = put(id, (it) => ({
      ...it,
      state: 'starting',
      reason: null,
      logTail: [],
      endedAt: null,
      generation: it.generation + 1,
      stages: {
        accepted: now(),
        placed: null,
        created: null,
        displayReady: null,
        firstByte: null,
        firstFrame: null,
      },
    }))
    begin(id, false)
    return session
  }
  const stop = (id: string) => {
    setTimeout(
      () => put(id, (it) => ({ ...it, state: 'stopped', reason: 'You stopped it', endedAt: now() })),
      500,
    ).unref()
    return put(id, (it) => ({ ...it, state: 'stopping' }))
  }
  /** As long as it takes to see that it happens. */
  const sleep = (id: string) => {
    setTimeout(() => put(id, (it) => ({ ...it, state: 'hibernated', home: HOME })), 500).unref()
    return put(id, (it) => ({ ...it, state: 'hibernating' }))
  }
  const wake = (id: string) => {
    restart(id)
    return put(id, (it) => ({ ...it, state: 'waking', home: null }))
  }
  const keepAwake = (id: string) => put(id, (it) => ({ ...it, idle: null }))
  return {
    sleep,
    wake,
    keepAwake,
    use(next: How) {
      how = next
    },
    put,
    launch,
    restart,
    stop,
  }
}
