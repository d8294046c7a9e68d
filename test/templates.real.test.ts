/** Every template draws its first frame on this machine: the terminal always, all others with `./kalnet test --slow`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openBench, type Proof, proveTemplate } from '@kalnet/cli/templates/prove'
import { testCache } from '@kalnet/controller/platforms/testing'
import { run } from '@kalnet/io/spawn'
import { readCatalog } from '@kalnet/server/catalog/source'
import { afterAll, expect, test } from 'vitest'

const CATALOG = fileURLToPath(new URL('../catalog', import.meta.url))
const has = async (command: string) => (await run('which', [command])).code === 0
const isRoot = process.getuid?.() === 0
const usable = isRoot && (await has('bwrap')) && (await has('mmdebstrap'))
const isDemanded = process.env.KALNET_PEERS === 'all'
const isSlow = Boolean(process.env.KALNET_SLOW)
const HOUR_MS = 60 * 60_000

if (!usable && !isDemanded) test.skip('templates: root with bubblewrap and mmdebstrap is missing')
else {
  const bench = await openBench({
    platform: 'process',
    imagesFolder: join(testCache, 'images'),
    catalog: CATALOG,
  })
  afterAll(() => bench.close())
  for (const { template } of bench.files.templates) {
    if (template.kind !== 'session') continue
    const title = `[TPL-4.first-frame] ${template.id} draws its first frame`
    test.skipIf(!isSlow && template.id !== 'terminal')(
      title,
      async () => {
        const { proof } = await proveTemplate(bench, template, { settleMs: 0 })
        expect(proof.sizeBytes).toBeGreaterThan(0)
        if (template.id === 'terminal') expect(proof.sizeBytes).toBeLessThanOrEqual(250 * 10 ** 6)
      },
      HOUR_MS,
    )
  }
}

test('[TPL-4.proved] at least ten templates were proved in the version they have now', async () => {
  const proofs = JSON.parse(readFileSync(join(CATALOG, 'proved.json'), 'utf8')) as Record<string, Proof>
  const { templates } = await readCatalog(CATALOG)
  const current = templates.filter(({ template }) => proofs[template.id]?.version === template.version)
  expect(current.length).toBeGreaterThanOrEqual(10)
})
