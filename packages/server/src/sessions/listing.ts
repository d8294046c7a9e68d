/** A page of the list of sessions: which come in it, in which order, and where the next one begins. */
import { id, time } from '@kalnet/contracts/basics'
import type { Session } from '@kalnet/contracts/session'
import { z } from 'zod'
import { parseInput } from '../core/parse.ts'
import { statements } from './store.ts'

export interface ListQuery {
  state?: 'live' | 'ended'
  after?: string
  limit: number
}
const endedPlace = z.object({
  after: z
    .string()
    .transform((text) => text.split('_'))
    .pipe(z.tuple([time, id], 'is not a place in this list')),
})
const place = z.object({ after: id.optional() })

/** One more row is asked for than is shown: it tells whether there is a next page. */
export function listing(query: ListQuery, userId: string | null) {
  const limit = query.limit + 1
  if (query.state === 'ended') {
    // A session that ran for a week and stopped a moment ago is the newest of the ended ones, not the oldest.
    const [afterTime, afterId] = query.after
      ? parseInput(endedPlace, { after: query.after }, 'query').after
      : [null, null]
    return {
      statement: statements.listEnded({ userId, afterTime, afterId, limit }),
      placeOf: (last: Session) => `${last.endedAt}_${last.id}`,
    }
  }
  const { after } = parseInput(place, { after: query.after }, 'query')
  return {
    statement: statements.list({ userId, state: query.state ?? null, after: after ?? null, limit }),
    placeOf: (last: Session) => last.id,
  }
}
