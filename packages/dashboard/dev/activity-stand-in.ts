/** The stand-in's record: a day in a house, older days, and worlds where it is empty, long, odd or broken. */
import type { AuditRow, Verified } from '@kalnet/contracts/audit'
import { ME, uuid, type World } from './fixtures.ts'

const HASH = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9'
const GRACE = { id: uuid(3), name: 'Grace Larch' }
const ADA = { id: ME.id, name: ME.name }
type Who = { id: string; name: string } | null
type Brief = [minutes: number, who: Who, action: string, thing: string | null, more?: Partial<AuditRow>]

const BRIEFS: Brief[] = [
  [0, ADA, 'stream.opened', 'Terminal', { seal: null, details: { port: 'display' } }],
  [2, ADA, 'session.launched', 'Terminal', { details: { templateId: 'terminal', platform: 'process' } }],
  [9, GRACE, 'controller.revoked', 'attic', { outcome: 'permission.denied' }],
  [12, null, 'user.signed-in', 'Grace Larch', { outcome: 'sign-in.wrong', address: '203.0.113.9' }],
  [
    13,
    null,
    'user.signed-in',
    null,
    {
      outcome: 'sign-in.wrong',
      address: '2001:db8:85a3::8a2e:370:7334',
      details: { times: 1_700, since: '2026-03-01T08:00:00.000Z' },
    },
  ],
  [25, GRACE, 'stream.closed', 'Firefox', { details: { port: 'display', durationMs: 1_845_000 } }],
  [56, GRACE, 'stream.opened', 'Firefox'],
  [58, GRACE, 'user.signed-in', null, { address: '192.168.1.34' }],
  [
    190,
    ADA,
    'invitation.made',
    null,
    { object: uuid(400), details: { email: 'linus@example.org', role: 'child' } },
  ],
  [240, ADA, 'audit.exported', null, { details: { format: 'csv' } }],
  [1_500, null, 'controller.enrolled', 'attic', { actorKind: 'local-cli', userId: null, address: 'local' }],
  [1_530, ADA, 'person.role-changed', 'Edsger Birch', { details: { role: 'admin', before: 'member' } }],
  [1_600, ADA, 'session.logs-read', 'Text editor with a rather long name, 40+'],
  [2_990, ADA, 'user.password-changed', null],
  [3_000, ADA, 'organisation.claimed', null],
]
const rowOf = ([minutes, who, action, thing, more]: Brief, at: number): AuditRow => ({
  id: uuid(5_000 + at),
  organisationId: ME.organisationId,
  at: new Date(Date.now() - minutes * 60_000).toISOString(),
  actorKind: who ? 'user' : 'nobody',
  userId: who?.id ?? null,
  userName: who?.name ?? null,
  action,
  outcome: 'done',
  object: thing ? uuid(6_000 + at) : null,
  objectName: thing,
  details: {},
  address: '192.168.1.20',
  requestId: uuid(7_000 + at),
  xid: String(90_000 - at),
  seq: String(4_000 - at),
  seal: { position: String(1_204 - at), previous: HASH, hash: HASH },
  ...more,
})

const checked = (broken: Verified['break']): Verified => ({
  organisationId: ME.organisationId,
  rows: 1_204,
  segments: 14,
  dropped: 0,
  pending: 1,
  break: broken,
  at: new Date().toISOString(),
  tookMs: 84,
})

export function createActivityStandIn() {
  let rows: AuditRow[] = []
  let world: World = 'usual'
  let broken = false
  let retentionDays = 400
  const last = () =>
    checked(
      broken
        ? {
            problem: 'changed',
            segment: 12,
            position: '1187',
            id: uuid(5_017),
            message: 'The row at place 1187 was changed after it was sealed.',
          }
        : null,
    )
  const list = (query: URLSearchParams, own: boolean) => {
    const { text, action, outcome, actor, object } = Object.fromEntries(query)
    const items = rows.filter(
      (row) =>
        (!own || row.userId === ME.id) &&
        (!action || row.action.startsWith(action)) &&
        (outcome !== 'refused' || row.outcome !== 'done') &&
        (!actor || row.userId === actor) &&
        (!object || row.object === object) &&
        (!text || JSON.stringify(row).toLowerCase().includes(text.toLowerCase())),
    )
    const from = Number(query.get('after') ?? 0)
    const limit = Number(query.get('limit') ?? 50)
    return {
      items: items.slice(from, from + limit),
      next: items.length > from + limit ? String(from + limit) : null,
    }
  }
  return {
    use(next: World) {
      world = next
      broken = false
      retentionDays = 400
      const many = Array.from({ length: 12 }, () => BRIEFS).flat()
      rows = (world === 'empty' ? [] : world === 'many' ? many : BRIEFS).map(rowOf)
    },
    /** As if somebody had changed a row in the database. */
    break() {
      broken = true
    },
    answer(method: string, url: URL, body: Record<string, unknown>): unknown {
      switch (`${method} ${url.pathname}`) {
        case 'GET /api/audit':
          return list(url.searchParams, false)
        case 'GET /api/activity':
          return list(url.searchParams, true)
        case 'GET /api/audit/chain':
          return {
            sealed: rows.length === 0 ? '0' : '1204',
            pending: rows.length === 0 ? 0 : 1,
            segments: [],
            retentionDays,
            last: broken ? last() : null,
          }
        case 'POST /api/audit/verify':
          return last()
        case 'PUT /api/audit/retention':
          retentionDays = Number(body.days)
          return { days: retentionDays }
        default:
          return undefined
      }
    },
  }
}
