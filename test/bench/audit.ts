/** `kalnet bench audit`: rows sealed and checked in a second, and how fast a million rows are searched. KALNET_BENCH_ROWS sets how many. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '@kalnet/cli/tree'
import type { AuditFilter } from '@kalnet/contracts/audit'
import type { Actor } from '@kalnet/contracts/permission'
import { HOME, longAudit } from './audit/database.ts'

const ROWS = Number(process.env.KALNET_BENCH_ROWS ?? 1_000_000)
/** What a page of the feed may take at the median, and how fast rows must be sealed. */
const PAGE_MS = 250
const SEALED_PER_SECOND = 2_000

interface Figure {
  figure: string
  value: number
  unit: string
}
const OWNER: Actor = {
  kind: 'user',
  userId: '01920000-0000-7000-8000-0000000000a1',
  organisationId: HOME,
  role: 'owner',
  scopes: null,
}
const QUESTIONS: [string, AuditFilter & { after?: string }][] = [
  ['newest page', {}],
  ['a page far down', { after: '4000.500000' }],
  ['one person', { actor: '01920000-0000-7000-8000-0000000000a3' }],
  ['one action', { action: 'key.made' }],
  ['a group of actions', { action: 'session.' }],
  ['one thing', { object: '01930000-0000-7000-8000-00000000c350' }],
  ['refusals', { outcome: 'refused' }],
  ['a week long ago', { from: '2026-03-01T00:00:00.000Z', to: '2026-03-08T00:00:00.000Z' }],
  [
    'the last month, refused',
    { outcome: 'refused', from: new Date(Date.now() - 30 * 86_400_000).toISOString() },
  ],
  ['a rare word', { text: '71234' }],
  ['a word in every row', { text: 'terminal' }],
  ['two words', { text: 'desk 12345' }],
  ['a word that is nowhere', { text: 'zebra' }],
]
const median = (values: number[]) =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await work()
  return performance.now() - began
}

export async function benchAudit({
  n,
  json,
  signal,
}: {
  n: number
  json: boolean
  signal: AbortSignal
}): Promise<Figure[]> {
  const figures: Figure[] = []
  const say = (figure: string, value: number, unit: string) => {
    figures.push({ figure, value: Math.round(value * 10) / 10, unit })
    if (!json) console.log(`${figure.padEnd(32)} ${value.toFixed(1).padStart(10)} ${unit}`)
  }
  const bench = await longAudit(ROWS)
  try {
    const sealing = await timed(async () => {
      for (let sealed = 0; sealed < ROWS; ) {
        signal.throwIfAborted()
        sealed += await bench.sealer.once()
      }
    })
    say(`sealed, ${ROWS} rows`, (ROWS / sealing) * 1000, 'rows/s')
    const found = await bench.verifier.verify(HOME, signal)
    if (found.break || found.rows !== ROWS)
      throw new Error(`the chain does not hold: ${JSON.stringify(found)}`)
    say('checked', (ROWS / found.tookMs) * 1000, 'rows/s')
    await bench.analyse()
    const looks: number[] = []
    for (let round = 0; round < n; round++) looks.push(await timed(() => bench.sealer.once()))
    say('a look with nothing to seal', median(looks), 'ms')
    for (const [question, filter] of QUESTIONS) {
      const times: number[] = []
      for (let round = 0; round < n; round++)
        times.push(await timed(() => bench.search.list(OWNER, { ...filter, limit: 50 })))
      say(`search: ${question}`, median(times), 'ms')
    }
    const memory = process.memoryUsage().rss
    let rows = 0
    const exporting = await timed(async () => {
      for await (const page of bench.search.walk(HOME, {}, signal)) rows += page.length
    })
    say('exported', (rows / exporting) * 1000, 'rows/s')
    say('memory grown by the export', Math.max(0, process.memoryUsage().rss - memory) / 1e6, 'MB')
  } finally {
    await bench.end()
  }
  if (n >= 10)
    await writeFile(
      join(ROOT, 'test/results/audit.json'),
      `${JSON.stringify({ rows: ROWS, n, figures }, null, 2)}\n`,
    )
  if (json) console.log(JSON.stringify(figures, null, 2))
  return figures
}

export const missedMusts = (figures: Figure[]): string[] =>
  figures.flatMap(({ figure, value, unit }) => {
    if (figure.startsWith('search:') && value > PAGE_MS)
      return [`${figure}: ${value} ${unit} is more than ${PAGE_MS}`]
    if (figure.startsWith('a look') && value > PAGE_MS)
      return [`${figure}: ${value} ${unit} is more than ${PAGE_MS}`]
    if (figure.startsWith('sealed') && value < SEALED_PER_SECOND)
      return [`${figure}: ${value} ${unit} is less than ${SEALED_PER_SECOND}`]
    return []
  })
