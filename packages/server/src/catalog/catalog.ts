/** The catalog: what can be launched here. Files are read again when they change. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CatalogEntry } from '@kalnet/contracts/catalog'
import { fail } from '@kalnet/contracts/errors'
import type { InstanceSpec } from '@kalnet/contracts/instance'
import { chainOf } from '@kalnet/contracts/recipe'
import { type Answers, recipesOf, type SessionTemplate, type Template } from '@kalnet/contracts/template'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { readProofs } from './proofs.ts'
import { resolveTemplate } from './resolve.ts'
import type { WholeTemplate } from './resolve-service.ts'
import { type CatalogFiles, type CatalogProblem, readCatalog } from './source.ts'

/** Files are looked at again at most this often. */
const FRESH_MS = 2_000

/** The recipe's layers; what is wrong with the recipe is told as the template's problem. */
function chainFor(template: Template, name: string, recipes: CatalogFiles['recipes']) {
  try {
    return chainOf(name, recipes)
  } catch (error) {
    throw fail('template.invalid', {
      id: template.id,
      problem: error instanceof Error ? error.message : String(error),
    })
  }
}

export interface Resolved {
  template: SessionTemplate
  spec: InstanceSpec
}

export function createCatalog({ folder, clock, log }: { folder: string; clock: Clock; log: Log }) {
  let files: Promise<CatalogFiles> | null = null
  let proved = new Map<string, string>()
  let readAt = 0
  let newest = ''

  const provedNow = async (): Promise<Map<string, string>> => {
    try {
      return await readProofs(folder)
    } catch (error) {
      // Half written at this moment, or broken: everything can be launched all the same, only unproved.
      log.warn({ error }, 'proved.json cannot be read')
      return new Map()
    }
  }

  /** When anything of the catalog was last written: a few dozen looks, at most every FRESH_MS and only when somebody asks. */
  const fingerprint = async () => {
    const below = await Promise.all(
      ['templates', 'images'].map((part) => readdir(join(folder, part), { recursive: true }).catch(() => [])),
    )
    const paths = below.flatMap((names, index) =>
      names.map((name) => join(index ? 'images' : 'templates', name)),
    )
    const written = [...paths, 'proved.json'].map((path) =>
      stat(join(folder, path)).then(
        (found) => `${path} ${found.mtimeMs}`,
        () => path,
      ),
    )
    return (await Promise.all(written)).join()
  }

  const current = async (): Promise<CatalogFiles> => {
    const now = clock.now().getTime()
    if (!files || now - readAt > FRESH_MS) {
      readAt = now
      const seen = await fingerprint()
      if (!files || seen !== newest) {
        newest = seen
        const reading = readCatalog(folder)
        files = reading
        // Not kept: the next one who asks looks again.
        reading.catch(() => {
          if (files === reading) files = null
        })
        proved = await provedNow()
      }
    }
    return files
  }

  const memoryOf = (template: Template) =>
    template.kind === 'session'
      ? template.resources.memoryBytes
      : template.parts.reduce((sum, part) => sum + part.resources.memoryBytes, 0)
  const networkOf = (template: Template) =>
    template.kind === 'session'
      ? template.network
      : template.parts.some((part) => part.network === 'internet')
        ? 'internet'
        : 'local'

  const entry = ({ template }: { template: Template }): CatalogEntry => ({
    id: template.id,
    kind: template.kind,
    version: template.version,
    name: template.name,
    summary: template.summary,
    description: template.description,
    category: template.category,
    keywords: template.keywords,
    icon: `/api/templates/${template.id}/icon`,
    licence: template.licence,
    docs: template.docs ?? null,
    platforms: template.platforms,
    inputs: template.inputs,
    memoryBytes: memoryOf(template),
    network: networkOf(template),
    doors: template.kind === 'service' ? template.doors : [],
    dependencies:
      template.kind === 'service'
        ? template.dependencies.map(({ name, label, required }) => ({ name, label, required }))
        : [],
    replicasMost: template.kind === 'service' ? template.replicas.most : 1,
    proved: proved.get(template.id) === template.version,
    deprecated: template.deprecated ?? null,
  })

  const find = async (id: string) => {
    const found = (await current()).templates.find((item) => item.template.id === id)
    if (!found) throw fail('template.unknown', { id })
    return found
  }

  return {
    async list(): Promise<{ items: CatalogEntry[]; problems: CatalogProblem[] }> {
      const { templates, problems } = await current()
      return { items: templates.map(entry), problems }
    },
    read: async (id: string): Promise<CatalogEntry> => entry(await find(id)),
    icon: async (id: string): Promise<string> => (await find(id)).icon,
    /** A service's template whole, with the recipes of its parts. Throws template.unknown, template.invalid. */
    async service(id: string): Promise<WholeTemplate> {
      const { template } = await find(id)
      if (template.kind !== 'service') throw fail('template.unknown', { id })
      const { recipes } = await current()
      const names = new Set(recipesOf(template))
      return {
        template,
        chains: Object.fromEntries([...names].map((name) => [name, chainFor(template, name, recipes)])),
      }
    },
    /** The version it has now; null: it is not offered any more. */
    newest: async (id: string): Promise<string | null> =>
      (await current()).templates.find((it) => it.template.id === id)?.template.version ?? null,
    /** A template with a person's answers → what a controller can run. Throws answers.invalid, template.unknown, template.invalid. */
    async resolve(id: string, given: Answers): Promise<Resolved> {
      const { template } = await find(id)
      if (template.kind !== 'session') throw fail('template.unknown', { id })
      const { recipes } = await current()
      if ('reference' in template.image) return { template, spec: resolveTemplate(template, given, null) }
      return {
        template,
        spec: resolveTemplate(template, given, chainFor(template, template.image.recipe, recipes)),
      }
    },
  }
}
export type Catalog = ReturnType<typeof createCatalog>
