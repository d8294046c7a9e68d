/** Reading the audit: filtered, newest first by page, or oldest first as a whole. */
import type { AuditFilter, AuditRow } from '@kalnet/contracts/audit'
import { actorKind } from '@kalnet/contracts/audit'
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { Store } from '../core/store.ts'
import { type SealedRow, statements, type Wanted } from './store.ts'

interface Place {
  xid: string
  seq: string
}
const PLACE = /^(\d{1,20})\.(\d{1,19})$/
const parsePlace = (text: string): Place => {
  const [, xid, seq] = PLACE.exec(text) ?? []
  if (!xid || !seq || BigInt(xid) >= 2n ** 64n || BigInt(seq) >= 2n ** 63n)
    throw fail('request.invalid', { problem: 'query: after is not a cursor of this list' })
  return { xid, seq }
}
const isNewer = (one: Place, other: Place) => {
  const [mine, theirs] = [BigInt(one.xid), BigInt(other.xid)]
  return mine === theirs ? BigInt(one.seq) > BigInt(other.seq) : mine > theirs
}

/** Each word as the beginning of a word of the row, all of them. */
function wordsOf(text: string | undefined): string | null {
  const words = (text ?? '').toLowerCase().match(/[\p{L}\p{N}@.:_-]+/gu) ?? []
  return words.length === 0 ? null : words.map((word) => `'${word}':*`).join(' & ')
}
const DAY_MS = 24 * 3600_000
const NARROW_DAYS = 32
const escapeLike = (text: string) => text.replace(/[\\%_]/g, '\\$&')

export function wantedOf(
  filter: AuditFilter,
): Omit<Wanted, 'organisationId' | 'limit' | 'afterXid' | 'afterSeq'> {
  const { actor = null, action = null, object = null, outcome = null, from = null, to = null, text } = filter
  const words = wordsOf(text)
  const days =
    from === null
      ? Number.POSITIVE_INFINITY
      : (Date.parse(to ?? new Date().toISOString()) - Date.parse(from)) / DAY_MS
  const isGroup = action?.endsWith('.') ?? false
  return {
    actor,
    action: isGroup ? null : action,
    actionLike: isGroup ? `${escapeLike(action ?? '')}%` : null,
    object,
    outcome: outcome === 'refused' ? null : outcome,
    refused: outcome === 'refused' ? true : null,
    from,
    to,
    words,
    narrow:
      days <= NARROW_DAYS && [words, actor, object, action, outcome].every((it) => it === null) ? true : null,
  }
}

export const shapeRow = (row: SealedRow, names: ReadonlyMap<string, string>): AuditRow => ({
  id: row.id,
  organisationId: row.organisation_id,
  at: row.at,
  actorKind: actorKind.parse(row.actor_kind),
  userId: row.user_id,
  userName: row.user_name,
  action: row.action,
  outcome: row.outcome,
  object: row.object,
  objectName:
    typeof row.details.name === 'string'
      ? row.details.name
      : row.object
        ? (names.get(row.object) ?? null)
        : null,
  details: row.details,
  address: row.address,
  requestId: row.request_id,
  xid: row.xid,
  seq: row.seq,
  seal:
    row.position !== null && row.previous !== null && row.hash !== null
      ? { position: row.position, previous: row.previous, hash: row.hash }
      : null,
})

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const PAGE = 500

export function createSearch({ store }: { store: Store }) {
  /** Of whom nobody knew who it was: the first organisation runs the installation, its stewards read that too. */
  async function readsInstallation(organisationId: string): Promise<boolean> {
    const { rows } = await store.system.read((tx) => statements.firstOrganisation().execute(tx))
    return rows[0]?.id === organisationId
  }

  /**
   * Behind row-level security PostgreSQL asks no index for words and patterns (their operators are not leakproof): a search for
   * them is made outside it, and what it found is looked at once more instead.
   */
  const scopeOf = (chain: string | null, { words, actionLike }: Pick<Wanted, 'words' | 'actionLike'>) =>
    chain === null || words !== null || actionLike !== null ? store.system : store.as(chain)
  function assertOwn(rows: SealedRow[], chain: string | null): void {
    if (rows.some((row) => row.organisation_id !== chain))
      throw fail('internal', {}, new Error('a search of the audit found what belongs to somebody else'))
  }

  async function named(organisationId: string, rows: SealedRow[]): Promise<AuditRow[]> {
    const ids = [...new Set(rows.flatMap(({ object }) => (object && UUID.test(object) ? [object] : [])))]
    const found =
      ids.length === 0
        ? []
        : (await store.as(organisationId).read((tx) => statements.names({ ids }).execute(tx))).rows
    const names = new Map(found.map(({ id, name }) => [id, name]))
    return rows.map((row) => shapeRow(row, names))
  }

  return {
    readsInstallation,
    async list(
      actor: Actor,
      { after, limit, ...filter }: AuditFilter & { after?: string | undefined; limit: number },
      own = false,
    ): Promise<{ items: AuditRow[]; next: string | null }> {
      const { organisationId } = actor
      const place = after === undefined ? null : parsePlace(after)
      const wanted = {
        ...wantedOf(filter),
        ...(own ? { actor: actor.userId } : {}),
        afterXid: place?.xid ?? null,
        afterSeq: place?.seq ?? null,
        limit: limit + 1,
      }
      const mine = await scopeOf(organisationId, wanted).read((tx) =>
        statements.search({ ...wanted, organisationId }).execute(tx),
      )
      assertOwn(mine.rows, organisationId)
      const nobodys =
        !own && (await readsInstallation(organisationId))
          ? await store.system.read((tx) =>
              statements.search({ ...wanted, organisationId: null }).execute(tx),
            )
          : { rows: [] }
      const rows = [...mine.rows, ...nobodys.rows].sort((one, other) => (isNewer(one, other) ? -1 : 1))
      const shown = rows.slice(0, limit)
      const last = shown.at(-1)
      return {
        items: await named(organisationId, shown),
        next: rows.length > limit && last ? `${last.xid}.${last.seq}` : null,
      }
    },
    /** Page by page, each read on its own, so that a slow reader holds nothing. Ends at what was the newest row at the beginning. */
    async *walk(
      organisationId: string,
      filter: AuditFilter,
      signal: AbortSignal,
    ): AsyncGenerator<AuditRow[]> {
      const both: (string | null)[] = (await readsInstallation(organisationId))
        ? [organisationId, null]
        : [organisationId]
      const end = (await store.system.read((tx) => statements.newest().execute(tx))).rows[0]
      if (!end) return
      const wanted = { ...wantedOf(filter), upToXid: end.xid, upToSeq: end.seq, limit: PAGE }
      for (const chain of both) {
        let after: Place | null = null
        for (;;) {
          signal.throwIfAborted()
          const { rows }: { rows: SealedRow[] } = await scopeOf(chain, wanted).read((tx) =>
            statements
              .walk({
                ...wanted,
                organisationId: chain,
                afterXid: after?.xid ?? null,
                afterSeq: after?.seq ?? null,
              })
              .execute(tx),
          )
          assertOwn(rows, chain)
          if (rows.length > 0) yield await named(organisationId, rows)
          after = rows.at(-1) ?? after
          if (rows.length < PAGE) break
        }
      }
    },
  }
}
export type Search = ReturnType<typeof createSearch>
