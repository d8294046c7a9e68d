/** An exported file is checked without a database: what was changed, taken out, put in, swapped or cut off is found. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuditBench, auditBench, eventually, HOME, never } from '../testing/audit.ts'
import { createExport } from './export.ts'
import { checkFile } from './file-check.ts'
import { createSearch } from './search.ts'

async function* linesOf(text: string) {
  yield* text.split('\n')
}

describe('[GOV-1.verify] an exported file', () => {
  let bench: AuditBench
  let file: string
  let part: string
  beforeAll(async () => {
    bench = await auditBench({ segmentRows: 5 })
    await bench.add(8)
    await bench.add(3, { organisationId: null })
    await bench.add(4, { action: 'thing.made' })
    const sealer = bench.sealer()
    let sealed = 0
    await eventually(async () => {
      sealed += await sealer.once()
      return sealed === 15
    }, 'sealed')
    const exported = createExport({
      search: createSearch({ store: bench.store }),
      heads: async () => bench.verifier.goodHeads(),
      version: 'test',
    })
    const read = async (filter: object) => {
      let text = ''
      for await (const piece of exported(HOME, 'json', filter)) text += String(piece)
      return text
    }
    file = await read({})
    part = await read({ action: 'thing.made' })
  })
  afterAll(() => bench.end())
  const heads = () => bench.verifier.goodHeads()

  it('holds, with and without a server to compare its heads with', async () => {
    expect(await checkFile(linesOf(file), null)).toMatchObject({
      rows: 15,
      heads: 4,
      compared: null,
      break: null,
    })
    expect(await checkFile(linesOf(file), await heads())).toMatchObject({
      rows: 15,
      compared: 2,
      break: null,
    })
    expect(await checkFile(linesOf(part), null)).toMatchObject({ rows: 4, filtered: true, break: null })
  })

  const at = (text: string, position: number, change: (line: string) => string) =>
    text
      .split('\n')
      .flatMap((line) => {
        if (!line.includes(`"position":"${position}"`) || !line.includes(`"organisationId":"${HOME}"`))
          return [line]
        const changed = change(line)
        return changed === '' ? [] : [changed]
      })
      .join('\n')
  it.each<[string, (text: string) => string, object]>([
    [
      'a changed field',
      (it) => at(it, 3, (line) => line.replace('10.0.0.5', '10.0.0.6')),
      { problem: 'changed', position: '3' },
    ],
    ['a row taken out', (it) => at(it, 7, () => ''), { problem: 'missing', position: '7' }],
    [
      'a row put in twice',
      (it) => at(it, 4, (line) => `${line}\n${line}`),
      { problem: 'inserted', position: '4' },
    ],
    [
      'two rows swapped',
      (it) => {
        const lines = it.split('\n')
        const rows = lines.flatMap((line, place) => (line.includes('"type":"row"') ? [place] : []))
        const [one = 0, two = 0] = [rows[1], rows[2]]
        return lines
          .with(one, lines[two] ?? '')
          .with(two, lines[one] ?? '')
          .join('\n')
      },
      { problem: 'missing', position: '2' },
    ],
    [
      'a head changed',
      (it) => it.replace('"number":2,"firstPosition":"6"', '"number":2,"firstPosition":"7"'),
      { problem: 'head' },
    ],
    ['the tail cut off', (it) => it.split('\n').slice(0, -4).join('\n'), { problem: 'truncated' }],
    [
      'the tail cut off with a new end',
      (it) => {
        const lines = it.trimEnd().split('\n')
        return [...lines.slice(0, -2), JSON.stringify({ type: 'end', rows: 14 })].join('\n')
      },
      { problem: 'missing', position: '3' },
    ],
    ['something else', () => 'at,actor\n', { problem: 'changed', line: 1 }],
    ['nothing', () => '', { problem: 'truncated' }],
  ])('%s is found', async (_name, change, expected) => {
    expect(change(file)).not.toBe(file)
    expect((await checkFile(linesOf(change(file)), null)).break).toMatchObject(expected)
  })

  it('a changed row of a part is found too', async () => {
    const changed = part.replace('10.0.0.5', '10.0.0.6')
    expect((await checkFile(linesOf(changed), null)).break).toMatchObject({ problem: 'changed' })
  })

  it('heads that are whole in themselves but not this server’s are told from its own', async () => {
    const theirs = (await heads()).map((head) => ({ ...head, lastHash: 'a'.repeat(64) }))
    expect((await checkFile(linesOf(file), theirs)).break).toMatchObject({ problem: 'signature', segment: 1 })
    expect((await bench.verifier.verify(HOME, never())).break).toBeNull()
  })
})
