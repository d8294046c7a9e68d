/** `kalnet audit`: the ledger as ever; a file is checked without a server; the rest says that none runs. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hashOfRow, type StoredRow, ZEROS } from '@kalnet/server/audit/canonical'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

let it = NO_HOME
beforeEach(async () => {
  it = await temporaryHome()
})
afterEach(() => it.remove())

const row = (seq: string): StoredRow => ({
  organisationId: null,
  xid: '900',
  seq,
  id: `01920000-0000-7000-8000-00000000000${seq}`,
  at: '2026-03-01T08:00:00.000Z',
  actorKind: 'nobody',
  userId: null,
  action: 'user.signed-in',
  outcome: 'sign-in.wrong',
  object: null,
  details: {},
  address: '10.0.0.5',
  requestId: 'r',
})
async function file(change: (lines: string[]) => string[] = (lines) => lines): Promise<string> {
  let previous = ZEROS
  const rows = ['1', '2', '3'].map((seq) => {
    const hash = hashOfRow(row(seq), seq, previous)
    const line = {
      type: 'row',
      ...row(seq),
      userName: null,
      objectName: null,
      seal: { position: seq, previous, hash },
    }
    previous = hash
    return JSON.stringify(line)
  })
  const path = join(it.home, 'audit.jsonl')
  const head = JSON.stringify({ type: 'kalnet.audit', version: 1, organisationId: null, filter: {} })
  await writeFile(path, `${change([head, ...rows, JSON.stringify({ type: 'end', rows: 3 })]).join('\n')}\n`)
  return path
}

test('[GOV-1.verify] a file that holds: 0; the place of the first break: 1', async () => {
  const good = await cli(it.home, 'audit', 'verify', await file())
  expect([good.code, good.out]).toEqual([0, expect.stringContaining('3 rows: whole')])
  const path = await file((lines) =>
    lines.map((line, at) => (at === 2 ? line.replace('10.0.0.5', '10.0.0.6') : line)),
  )
  const bad = await cli(it.home, 'audit', 'verify', path)
  expect([bad.code, bad.out]).toEqual([
    1,
    expect.stringMatching(/line 3, the installation: The row at place 2 was changed/),
  ])
  const json = await cli(it.home, 'audit', 'verify', path, '--json')
  expect([json.code, JSON.parse(json.out).break]).toEqual([
    1,
    expect.objectContaining({ problem: 'changed', position: '2', line: 3 }),
  ])
})

test.each<[string[], number, RegExp]>([
  [['audit', 'verify'], 3, /not running/],
  [['audit', 'list'], 3, /not running/],
  [['audit', 'export'], 3, /not running/],
  [['secrets', 'rotate'], 3, /not running/],
  [['audit', 'list', '--limit', 'x'], 2, /--limit is a number/],
  [['audit', 'list', '--from', 'soon'], 2, /--from is a time/],
  [['audit', 'export', '--format', 'xml'], 2, /json, cef|csv, json/],
  [['audit', 'verfy'], 2, /./],
  [['audit', 'verify', '/nowhere/file'], 1, /nowhere/],
])('%j', async (args, code, words) => {
  const said = await cli(it.home, ...args)
  expect(said.code, said.err).toBe(code)
  expect(said.out + said.err).toMatch(words)
})

test('alone it prints the ledger', async () => {
  const { out } = await cli(it.home, 'audit')
  expect(out).toMatch(/GOV-1\.verify/)
  expect(out).toMatch(/\d+ of \d+ clauses proved/)
})
