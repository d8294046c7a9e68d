/** `kalnet templates test`: starts templates on this machine and says how they did. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { platformName } from '@kalnet/contracts/instance'
import { lintCatalog } from '@kalnet/server/catalog/lint'
import { encodePng } from '@kalnet/wire/png'
import type { Context } from '../context.ts'
import { size, table } from '../output.ts'
import { failed, refused, usage } from '../problem.ts'
import { chosen } from '../templates/chosen.ts'
import { type Bench, noteProof, openBench, proveTemplate } from '../templates/prove.ts'

/** Those that really run something. */
export const PLATFORMS = platformName.options.filter((it) => it !== 'fake')

export interface TestFlags {
  catalog: string
  platform: string
  pictures?: string
  proof?: boolean
}

export async function testTemplates(it: Context, wanted: string[], flags: TestFlags): Promise<void> {
  const platform = PLATFORMS.find((name) => name === flags.platform)
  if (!platform)
    throw usage(`There is no platform called ${flags.platform}.`, `Choose one of ${PLATFORMS.join(', ')}.`)
  const catalog = resolve(flags.catalog)
  const ids = await chosen(catalog, wanted)
  const problems = await lintCatalog(catalog, ids)
  if (problems[0])
    throw failed(
      `${problems[0].file}: ${problems[0].problem}`,
      `Mend what \`kalnet templates lint ${wanted.join(' ')}\` says first.`.replace(' `', '`'),
    )
  const bench = await openBench({ platform, imagesFolder: join(it.folders.data, 'images'), catalog })
  try {
    const machine = await bench.fingerprint()
    if (!machine?.usable)
      throw refused(
        machine?.detail || `${platform} cannot be used here.`,
        '`kalnet doctor` says what is missing and how to get it.',
      )
    const pictures = resolve(flags.pictures ?? join(it.folders.data, 'pictures'))
    await mkdir(pictures, { recursive: true })
    const items = []
    for (const id of ids) items.push(await testOne(it, bench, id, { ...flags, catalog, pictures }))
    const rows = items.map((one) => [
      one.id,
      size(one.sizeBytes),
      `${(one.buildMs / 1000).toFixed(1)} s`,
      `${(one.firstFrameMs / 1000).toFixed(2)} s`,
      one.picture,
    ])
    it.output.result(table(['template', 'image', 'build', 'first frame', 'picture'], rows), { items })
  } finally {
    await bench.close()
  }
}

async function testOne(it: Context, bench: Bench, id: string, flags: TestFlags & { pictures: string }) {
  const found = bench.files.templates.find(({ template }) => template.id === id)
  const template = found?.template
  if (template?.kind === 'service')
    throw failed(
      `${id} is a service.`,
      'Services are proved by a whole life: install, open, update, restart, remove.',
    )
  if (!template) throw failed(`${id} cannot be read.`, `See \`kalnet templates lint ${id}\`.`)
  const { proof, picture, buildMs } = await it.output
    .step(`Testing ${id}`, (say) =>
      proveTemplate(bench, template, {
        signal: it.signal,
        report: ({ text, share }) => say(share < 1 ? `${text} ${Math.round(share * 100)} %` : text),
      }),
    )
    .catch((error: unknown) => {
      if (it.signal.aborted) throw it.signal.reason
      const words = error instanceof Error ? error.message : String(error)
      throw failed(`${id}: ${words}`, 'Mend its recipe or its command, then test it again.', error)
    })
  const file = join(flags.pictures, `${id}.png`)
  await writeFile(file, encodePng(picture))
  if (flags.proof) await noteProof(flags.catalog, id, proof)
  return { id, ...proof, buildMs: Math.round(buildMs), picture: file }
}
