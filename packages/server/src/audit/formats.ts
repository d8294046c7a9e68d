/** The audit as a file: CSV (RFC 4180), JSON lines, CEF (ArcSight Common Event Format, revision 0). Text of people is escaped for each. */
import { isIP } from 'node:net'
import type { AuditRow } from '@kalnet/contracts/audit'

const COLUMNS: [string, (row: AuditRow) => string][] = [
  ['at', (row) => row.at],
  ['actor', (row) => row.userName ?? ''],
  ['actorKind', (row) => row.actorKind],
  ['userId', (row) => row.userId ?? ''],
  ['action', (row) => row.action],
  ['outcome', (row) => row.outcome],
  ['object', (row) => row.object ?? ''],
  ['objectName', (row) => row.objectName ?? ''],
  ['details', (row) => JSON.stringify(row.details)],
  ['address', (row) => row.address],
  ['organisationId', (row) => row.organisationId ?? ''],
  ['id', (row) => row.id],
  ['requestId', (row) => row.requestId],
  ['position', (row) => row.seal?.position ?? ''],
  ['previous', (row) => row.seal?.previous ?? ''],
  ['hash', (row) => row.seal?.hash ?? ''],
]

/** A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection). */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
  return /[",\r\n;']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
export const csvHead = (): string => `${COLUMNS.map(([name]) => name).join(',')}\r\n`
export const csvRow = (row: AuditRow): string => `${COLUMNS.map(([, read]) => cell(read(row))).join(',')}\r\n`

export const jsonLine = (type: string, of: object): string => `${JSON.stringify({ type, ...of })}\n`

const LINES = /\r\n|\r|\n|\u2028|\u2029/g
/** In the head of a line: backslash and pipe are escaped; a line break has no form there. */
const cefHead = (text: string) => text.replace(/[\\|]/g, '\\$&').replace(LINES, ' ')
/** In the extension: backslash and equals sign are escaped, a line break is written as \n. */
const cefValue = (text: string) => text.replace(/[\\=]/g, '\\$&').replace(LINES, '\\n')

const SEVERE = new Set([
  'sign-in.wrong',
  'sign-in.throttled',
  'permission.denied',
  'ticket.invalid',
  'origin.foreign',
])
const severityOf = ({ outcome }: AuditRow) => (outcome === 'done' ? 3 : SEVERE.has(outcome) ? 7 : 5)

export function cefLine(row: AuditRow, version: string): string {
  const head = [
    'CEF:0',
    'Kalnet',
    'Kalnet',
    version,
    row.action,
    row.action.replace(/[.-]/g, ' '),
    String(severityOf(row)),
  ]
  const extension: [string, string | null][] = [
    ['rt', String(Date.parse(row.at))],
    ['act', row.action],
    ['outcome', row.outcome],
    ['suid', row.userId],
    ['suser', row.userName],
    ['src', isIP(row.address) === 4 ? row.address : null],
    ['c6a2', isIP(row.address) === 6 ? row.address : null],
    ['c6a2Label', isIP(row.address) === 6 ? 'Source IPv6 Address' : null],
    ['externalId', row.id],
    ['cs1Label', row.object === null ? null : 'object'],
    ['cs1', row.object],
    ['cs2Label', row.objectName === null ? null : 'objectName'],
    ['cs2', row.objectName],
    ['cs3Label', 'requestId'],
    ['cs3', row.requestId],
    ['cs4Label', row.seal ? 'hash' : null],
    ['cs4', row.seal?.hash ?? null],
    ['msg', Object.keys(row.details).length === 0 ? null : JSON.stringify(row.details)],
  ]
  const pairs = extension.flatMap(([name, value]) => (value === null ? [] : [`${name}=${cefValue(value)}`]))
  // The first, `CEF:0`, and what follows: pipes part the head, so only its values are escaped.
  return `${head.map(cefHead).join('|')}|${pairs.join(' ')}\n`
}
