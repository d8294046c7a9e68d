/** `kalnet templates test`: starts templates on this machine and says how they did. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { platformName } from '@kalnet/contracts/instance'
import type { Template } from '@kalnet/contracts/template'
import type { Report } from '@kalnet/controller/images/images'
import { lintCatalog } from '@kalnet/server/catalog/lint'
import { readCatalog } from '@kalnet/server/catalog/source'
import { encodePng, type Picture } from '@kalnet/wire/png'
import type { Context } from '../context.ts'
import { size, table } from '../output.ts'
import { failed, refused, usage } from '../problem.ts'
import { chosen } from '../templates/chosen.ts'
import { type Bench, noteProof, openBench, type ProofOfAny, proveTemplate } from '../templates/prove.ts'
import { proveService } from '../templates/prove-service.ts'

/** Those that really run something. */
export const PLATFORMS = platformName.options.filter((it) => it !== 'fake')

export interface TestFlags {
  catalog: string
  platform: string
  pictures?: string
  proof?: boolean
}

const isOthers = ({ template }: { template: Template }) =>
  template.kind === 'service' && template.parts.some(({ image }) => 'reference' in image)

export async function testTemplates(it: Context, wanted: string[], flags: TestFlags): Promise<void> {
  const platform = PLATFORMS.find((name) => name === flags.platform)
  if (!platform)
    throw usage(`There is no platform called ${flags.platform}.`, `Choose one of ${PLATFORMS.join(', ')}.`)
  const catalog = resolve(flags.catalog)
  const all = await chosen(catalog, wanted)
  // Somebody else's image is nothing to be proved here; asked for by name, it is said so.
  const others = wanted.length > 0 ? [] : (await readCatalog(catalog)).templates.filter(isOthers)
  const ids = all.filter((id) => !others.some(({ template }) => template.id === id))
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
      `${(one.readyMs / 1000).toFixed(2)} s`,
      one.picture ?? '–',
    ])
    it.output.result(table(['template', 'image', 'build', 'ready', 'picture'], rows), { items })
  } finally {
    await bench.close()
  }
}

interface Tested {
  proof: ProofOfAny
  picture: Picture | null
  buildMs: number
  readyMs: number
}
/** What was seen of one: a session's first frame with its picture, a service's first healthy moment. */
interface Seen {
  id: string
  sizeBytes: number
  buildMs: number
  readyMs: number
  picture: string | null
}

async function testOne(
  it: Context,
  bench: Bench,
  id: string,
  flags: TestFlags & { pictures: string },
): Promise<Seen> {
  const template = bench.files.templates.find((found) => found.template.id === id)?.template
  if (!template) throw failed(`${id} cannot be read.`, `See \`kalnet templates lint ${id}\`.`)
  const work = async (say: (detail: string) => void): Promise<Tested> => {
    const report: Report = ({ text, share }) => say(share < 1 ? `${text} ${Math.round(share * 100)} %` : text)
    const options = { signal: it.signal, report }
    if (template.kind === 'session') {
      const proved = await proveTemplate(bench, template, options)
      return { ...proved, readyMs: proved.proof.firstFrameMs }
    }
    const proved = await proveService(bench, template, options)
    return { ...proved, readyMs: proved.proof.healthyMs, picture: null }
  }
  const { proof, picture, buildMs, readyMs } = await it.output
    .step(`Testing ${id}`, work)
    .catch((error: unknown) => {
      if (it.signal.aborted) throw it.signal.reason
      const words = error instanceof Error ? error.message : String(error)
      throw failed(`${id}: ${words}`, 'Mend its recipe or its command, then test it again.', error)
    })
  const file = picture && join(flags.pictures, `${id}.png`)
  if (picture && file) await writeFile(file, encodePng(picture))
  if (flags.proof) await noteProof(flags.catalog, id, proof)
  return { id, ...proof, readyMs, buildMs: Math.round(buildMs), picture: file }
}
