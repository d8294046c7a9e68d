/** Every kind of entry has its words, done and refused, named and not. */
import { type AuditRow, RECORDED_UPGRADES } from '@kalnet/contracts/audit'
import type { AnyRoute } from '@kalnet/contracts/route'
import { ROUTES } from '@kalnet/contracts/routes'
import { expect, test } from 'vitest'
import * as m from '../messages/index.ts'
import { EVERYTHING, filterOf } from './filters.tsx'
import { sentenceOf } from './sentence.ts'

const row = (more: Partial<AuditRow>): AuditRow => ({
  id: '01920000-0000-7000-8000-000000000001',
  organisationId: null,
  at: '2026-03-01T08:00:00.000Z',
  actorKind: 'user',
  userId: null,
  userName: 'Ada',
  action: 'session.launched',
  outcome: 'done',
  object: null,
  objectName: null,
  details: {},
  address: '10.0.0.5',
  requestId: '',
  xid: '1',
  seq: '1',
  seal: null,
  ...more,
})
const said = (more: Partial<AuditRow>) => {
  const { who, before, thing, after } = sentenceOf(row(more))
  return `${who} ${before}${thing ?? ''}${after}`
}

test.each<[Partial<AuditRow>, string]>([
  [{ action: 'stream.opened', objectName: 'Terminal' }, 'Ada opened the screen of Terminal'],
  [{ action: 'stream.opened' }, 'Ada opened the screen of a session'],
  [
    { action: 'stream.closed', objectName: 'Terminal', details: { durationMs: 125_000 } },
    'Ada closed the screen of Terminal after 2 min 5 s',
  ],
  [{ action: 'session.restarted', objectName: 'Desk' }, 'Ada started Desk again'],
  [
    { action: 'session.restarted', objectName: 'Desk', outcome: 'permission.denied' },
    'Ada tried to start Desk again',
  ],
  [
    { action: 'controller.revoked', objectName: 'attic', outcome: 'permission.denied' },
    'Ada tried to remove the machine attic',
  ],
  [{ action: 'user.signed-in' }, 'Ada signed in'],
  [{ action: 'user.signed-in', details: { step: 'first' } }, 'Ada took the first step of signing in'],
  [
    {
      action: 'session.hibernated',
      objectName: 'Desk',
      actorKind: 'nobody',
      userName: null,
      details: { by: 'rule' },
    },
    'Kalnet put Desk to sleep',
  ],
  [{ action: 'person.left' }, 'Ada left'],
  [{ action: 'person.left', outcome: 'permission.denied' }, 'Ada tried to leave'],
  [
    { action: 'user.signed-in', outcome: 'sign-in.wrong', actorKind: 'nobody', userName: null },
    'Somebody failed to sign in',
  ],
  [
    {
      action: 'user.signed-in',
      outcome: 'sign-in.wrong',
      actorKind: 'nobody',
      userName: null,
      objectName: 'Grace',
      details: { times: 1_700 },
    },
    'Somebody failed to sign in as Grace, and 1,700 more tries like this',
  ],
  [{ action: 'invitation.made', details: { email: 'linus@example.org' } }, 'Ada invited linus@example.org'],
  [{ action: 'claim.issued', actorKind: 'local-cli' }, 'This machine’s command line made a claim link'],
  [{ action: 'thing.newly-made' }, 'Ada did something: thing newly made'],
  [{ action: 'thing.newly-made', outcome: 'internal' }, 'Ada was refused: thing newly made'],
])('%j: %s', (given, expected) => expect(said(given)).toBe(expected))

test('[GOV-1.search] whatever is on record has words that people understand', () => {
  const routes = Object.values(ROUTES).flatMap((group) => Object.values(group as Record<string, AnyRoute>))
  const actions = new Set([
    ...routes.flatMap((route) => (route.audit ? [route.audit] : [])),
    ...Object.values(RECORDED_UPGRADES).flatMap(({ opened, closed }) =>
      closed ? [opened, closed] : [opened],
    ),
  ])
  expect([...actions].filter((action) => !m.activityWords[action]).sort()).toEqual([])
  for (const words of Object.values(m.activityWords)) expect(words).toMatch(/^[a-z]+\|[a-z]+/)
})

test('what is chosen is what is asked', () => {
  const now = Date.parse('2026-03-08T08:00:30.000Z')
  expect(filterOf(EVERYTHING, now)).toEqual({})
  expect(filterOf({ ...EVERYTHING, kind: 'refused', when: 'week', text: ' tea ' }, now)).toEqual({
    outcome: 'refused',
    from: '2026-03-01T08:00:00.000Z',
    text: 'tea',
  })
  expect(filterOf({ ...EVERYTHING, kind: 'screens', actor: { id: 'a', name: 'Ada' } }, now)).toEqual({
    action: 'stream.',
    actor: 'a',
  })
})
