/** Does an exported file (JSON lines) hold? Row by row as it is read, without a database; the heads can be compared with a server's. */
import { type AuditBreak, type AuditSegment, auditRow, auditSegment } from '@kalnet/contracts/audit'
import { hashOfHead, hashOfRow, headOf, lastPosition } from './canonical.ts'
import { broken, checkHead, createWalk, type Found, type WalkedRow } from './walk.ts'

export interface FileChecked {
  rows: number
  pending: number
  heads: number
  /** Only a part of the audit was exported: each row for itself, gaps are no break. */
  filtered: boolean
  /** Closed heads that the server signed; null: no server was asked. */
  compared: number | null
  break: (AuditBreak & { organisationId: string | null; line: number }) | null
}

interface Chain {
  heads: AuditSegment[]
  walk: ReturnType<typeof createWalk> | null
}
const keyOf = (organisationId: string | null) => organisationId ?? ''

function parseLine(line: string): { type: string } & Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed === 'object' && parsed !== null && 'type' in parsed)
      return parsed as { type: string } & Record<string, unknown>
  } catch {
    // Said below: whatever it is, it is not a line of an export.
  }
  return { type: '' }
}

export async function checkFile(
  lines: AsyncIterable<string>,
  signed: readonly AuditSegment[] | null,
): Promise<FileChecked> {
  const known =
    signed && new Map(signed.map((head) => [`${keyOf(head.organisationId)} ${head.number}`, head]))
  const chains = new Map<string, Chain>()
  const checked: FileChecked = {
    rows: 0,
    pending: 0,
    heads: 0,
    filtered: false,
    compared: known ? 0 : null,
    break: null,
  }
  let line = 0
  let end: number | null = null
  const stop = (found: Found, organisationId: string | null, segment: number | null = null): FileChecked => ({
    ...checked,
    break: { ...found, segment, organisationId, line },
  })
  const chainOf = (organisationId: string | null): Chain => {
    const key = keyOf(organisationId)
    const chain = chains.get(key) ?? { heads: [], walk: null }
    chains.set(key, chain)
    return chain
  }

  function takeHead(head: AuditSegment): Found | null {
    const chain = chainOf(head.organisationId)
    const wrong = checkHead(head, chain.heads.at(-1) ?? null, null)
    if (wrong) return { ...wrong, id: null }
    chain.heads.push(head)
    checked.heads += 1
    const ours = known?.get(`${keyOf(head.organisationId)} ${head.number}`)
    if (!known || head.closedAt === null) return null
    if (!ours || hashOfHead(headOf(ours)) !== hashOfHead(headOf(head)))
      return broken(
        'signature',
        head.firstPosition,
        null,
        `Segment ${head.number} is not the one that this server signed.`,
      )
    checked.compared = (checked.compared ?? 0) + 1
    return null
  }

  function takeRow(row: WalkedRow & { stored: NonNullable<WalkedRow['stored']> }): Found | null {
    const chain = chainOf(row.stored.organisationId)
    if (checked.filtered)
      return hashOfRow(row.stored, row.position, row.previous) === row.hash
        ? null
        : broken('changed', row.position, row.stored.id, `The row at place ${row.position} was changed.`)
    const first = chain.heads.find((head) => head.droppedAt === null)
    chain.walk ??= createWalk({
      position: BigInt(first?.firstPosition ?? '1'),
      hash: first?.previous ?? row.previous,
    })
    const found = chain.walk.step(row)
    if (found) return found
    const closing = chain.heads.find((head) => String(lastPosition(head)) === row.position)
    return closing && closing.lastHash !== row.hash
      ? broken('head', row.position, row.stored.id, `Segment ${closing.number} does not end with this row.`)
      : null
  }

  for await (const text of lines) {
    line += 1
    if (text === '') continue
    const { type, ...rest } = parseLine(text)
    if (line === 1) {
      if (type !== 'kalnet.audit' || rest.version !== 1)
        return stop(broken('changed', null, null, 'This is not an audit exported as JSON lines.'), null)
      checked.filtered = Object.keys((rest.filter as object | null) ?? {}).length > 0
    } else if (type === 'end') end = Number(rest.rows)
    else if (type === 'head') {
      const head = auditSegment.safeParse(rest)
      if (!head.success)
        return stop(broken('changed', null, null, 'This line is not a head of a segment.'), null)
      const found = takeHead(head.data)
      if (found) return stop(found, head.data.organisationId, head.data.number)
    } else {
      const row = auditRow.safeParse(rest)
      if (type !== 'row' || !row.success)
        return stop(broken('changed', null, null, 'This line is not a row of the audit.'), null)
      checked.rows += 1
      const { seal, userName: _, objectName: __, ...stored } = row.data
      if (seal === null) checked.pending += 1
      else {
        const found = takeRow({ ...seal, stored })
        if (found) return stop(found, stored.organisationId)
      }
    }
  }
  if (end !== checked.rows)
    return stop(broken('truncated', null, null, 'The file ends before its end: rows are missing.'), null)
  if (!checked.filtered)
    for (const chain of chains.values()) {
      const last = chain.heads.findLast((head) => head.droppedAt === null)
      const reached = chain.walk?.end().position ?? 0n
      if (last && reached < lastPosition(last))
        return stop(
          broken('missing', String(reached + 1n), null, `The row at place ${reached + 1n} is gone.`),
          last.organisationId,
          last.number,
        )
    }
  return checked
}
