/** Does the chain hold? From the first head to the last row, and exactly where it does not. */
import type { AuditSegment, Verified } from '@kalnet/contracts/audit'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Store, Tx } from '../core/store.ts'
import type { Anchor } from './anchor.ts'
import { headOf, isSigned, lastPosition } from './canonical.ts'
import { shapeSegment } from './heads.ts'
import { storedRow } from './sealer.ts'
import { type ChainRow, statements } from './store.ts'
import { broken, checkHead, createWalk, type Found, type WalkedRow } from './walk.ts'

const PAGE = 2_000
/** Segments of a chain: more than ten years of days. */
const ALL = 100_000

const walked = (row: ChainRow): WalkedRow => {
  const { id, position, previous, hash } = row
  return { position, previous, hash, stored: id === null ? null : storedRow({ ...row, id }) }
}

export interface VerifierOptions {
  store: Store
  clock: Clock
  key: Buffer
  anchor: Anchor
}

export function createVerifier({ store, clock, key, anchor }: VerifierOptions) {
  async function check(
    tx: Tx,
    organisationId: string | null,
    known: Awaited<ReturnType<Anchor['of']>>,
    until: AbortSignal,
  ) {
    let rows = 0
    let dropped = 0
    const segments = (await statements.segments({ organisationId, newest: ALL }).execute(tx)).rows.map(
      shapeSegment,
    )
    const result = (found: Found | null, segment: number | null) => ({
      rows,
      dropped,
      segments: segments.length,
      break: found && { ...found, segment },
    })
    let page: ChainRow[] = []
    let at = 0
    let after = '0'
    /** The next row of the chain without taking it. */
    const next = async (): Promise<ChainRow | null> => {
      if (at >= page.length) {
        until.throwIfAborted()
        page = (await statements.chain({ organisationId, after, limit: PAGE }).execute(tx)).rows
        at = 0
      }
      return page[at] ?? null
    }
    let before: AuditSegment | null = null
    for (const head of segments) {
      const wrong = checkHead(head, before, key)
      if (wrong) return result({ ...wrong, id: null }, head.number)
      const walk = createWalk({ position: BigInt(head.firstPosition), hash: head.previous })
      for (let left = head.droppedAt === null ? head.count : 0; left > 0; left--) {
        const row = await next()
        const place = String(walk.end().position + 1n)
        if (!row)
          return result(broken('missing', place, null, `The row at place ${place} is gone.`), head.number)
        const found = walk.step(walked(row))
        if (found) return result(found, head.number)
        if (known?.position === row.position && known.hash !== row.hash)
          return result(
            broken(
              'changed',
              row.position,
              row.id,
              `The row at place ${row.position} is not the one that was sealed there.`,
            ),
            head.number,
          )
        at += 1
        after = row.position
        rows += 1
      }
      if (head.droppedAt !== null) {
        dropped += head.count
        const row = await next()
        if (row && BigInt(row.position) <= lastPosition(head))
          return result(
            broken(
              'inserted',
              row.position,
              row.id,
              `Place ${row.position} was dropped long ago, and has a row again.`,
            ),
            head.number,
          )
      } else if (walk.end().hash !== head.lastHash)
        return result(
          broken(
            'head',
            String(lastPosition(head)),
            null,
            `Segment ${head.number} does not end with the row its head names.`,
          ),
          head.number,
        )
      before = head
    }
    const more = await next()
    if (more)
      return result(
        broken(
          'inserted',
          more.position,
          more.id,
          `The row at place ${more.position} belongs to no segment.`,
        ),
        null,
      )
    const end = before ? lastPosition(before) : 0n
    if (known && BigInt(known.position) > end)
      return result(
        broken(
          'truncated',
          String(end + 1n),
          null,
          `The chain ends at place ${end}, but it had come to place ${known.position}.`,
        ),
        before?.number ?? null,
      )
    const stray = (await statements.slippedIn({ organisationId }).execute(tx)).rows[0]
    return result(
      stray ? broken('inserted', null, stray.id, 'A row was put among sealed ones without a seal.') : null,
      null,
    )
  }

  return {
    /** One view of the data throughout; changes nothing. */
    async verify(organisationId: string | null, signal: AbortSignal): Promise<Verified> {
      const began = performance.now()
      // Before the view begins: what is sealed meanwhile is not in it.
      const known = await anchor.of(organisationId)
      return store.system.read(async (tx) => {
        const found = await check(tx, organisationId, known, signal)
        const pending = (await statements.pending({ organisationId }).execute(tx)).rows[0]?.pending ?? 0
        return {
          organisationId,
          ...found,
          pending,
          at: stamp(clock),
          tookMs: Math.round(performance.now() - began),
        }
      })
    },
    /** Every organisation's chain and the installation's. */
    async verifyAll(signal: AbortSignal): Promise<Verified[]> {
      const { rows } = await store.system.read((tx) => statements.chains().execute(tx))
      const all: Verified[] = []
      for (const row of rows) all.push(await this.verify(row.organisation_id, signal))
      return all
    },
    async goodHeads(): Promise<AuditSegment[]> {
      return store.system.read(async (tx) => {
        const heads: AuditSegment[] = []
        for (const { organisation_id: organisationId } of (await statements.chains().execute(tx)).rows)
          heads.push(
            ...(await statements.segments({ organisationId, newest: ALL }).execute(tx)).rows.map(
              shapeSegment,
            ),
          )
        return heads.filter((head) => isSigned(key, headOf(head), head.signature))
      })
    },
  }
}
export type Verifier = ReturnType<typeof createVerifier>
