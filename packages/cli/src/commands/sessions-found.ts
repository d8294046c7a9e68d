/** Which session a word on the command line means, and waiting for what becomes of it. */
import { type Session, sessionRoutes } from '@kalnet/contracts/session'
import { nearest } from '@kalnet/server/core/nearest'
import type { Context } from '../context.ts'
import { size } from '../output.ts'
import { failed, usage } from '../problem.ts'

export const ENDED = new Set(['stopped', 'failed'])

export async function listSessions(it: Context, state?: 'live' | 'ended'): Promise<Session[]> {
  const items: Session[] = []
  let after: string | undefined
  do {
    const page = await it.api.call(sessionRoutes.list, { query: { state, after, limit: 200 } })
    items.push(...page.items)
    after = page.next ?? undefined
  } while (after)
  return items
}

/** By id, the beginning of one (4 characters or more), or name; live ones first. */
export async function find(it: Context, wanted: string): Promise<Session> {
  const all = await listSessions(it)
  const exact = all.filter((one) => one.id === wanted || one.name === wanted)
  const live = exact.filter((one) => !ENDED.has(one.state))
  const matches = live.length > 0 ? live : exact
  if (matches.length === 0 && wanted.length >= 4) {
    // Ids begin with the time, so their ends tell them apart: either end will do.
    matches.push(...all.filter((one) => one.id.startsWith(wanted) || one.id.endsWith(wanted)))
  }
  const [first, second] = matches
  if (!first) {
    const near = nearest(
      wanted,
      all.map((one) => one.name),
    )
    throw usage(
      `There is no session ${wanted}.`,
      near ? `Did you mean ${near}?` : 'See `kalnet sessions list`.',
    )
  }
  if (second) throw usage(`More than one session is meant by ${wanted}.`, 'Give the whole id.')
  return first
}

export async function waitFor(
  it: Context,
  id: string,
  done: (session: Session) => boolean,
  withinMs: number,
  say: (detail: string) => void = () => undefined,
): Promise<Session> {
  const until = it.clock.now().getTime() + withinMs
  for (;;) {
    const session = await it.api.call(sessionRoutes.read, { params: { id }, signal: it.signal })
    if (done(session)) return session
    if (it.clock.now().getTime() > until)
      throw failed(`${session.name} is still ${session.state}.`, `Look at \`kalnet sessions list\`.`)
    say(session.progress?.text ?? session.reason ?? session.state)
    await it.clock.sleep(100, it.signal)
  }
}

/** How much is kept of it; what is not known is said so. */
export function amountOf({ home }: Pick<Session, 'home'>): string {
  if (!home || home.measuredAt === null) return 'an amount not known yet'
  if (home.bytes !== null) return size(home.bytes)
  return home.reservedBytes === null ? 'an amount not known' : `up to ${size(home.reservedBytes)}`
}
