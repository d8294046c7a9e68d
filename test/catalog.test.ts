/** Every template of the catalog: its files, its words, its picture, its recipe; and the published schemas are the current ones. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { catalogSchemas } from '@kalnet/contracts/catalog-schemas'
import {
  iconProblems,
  launchProblems,
  lintCatalog,
  recipeProblems,
  shellProblems,
  textProblems,
} from '@kalnet/server/catalog/lint'
import { UNPROVED } from '@kalnet/server/catalog/lint-services'
import { readCatalog } from '@kalnet/server/catalog/source'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CATALOG = join(ROOT, 'catalog')
const files = await readCatalog(CATALOG)

/** What the issue asks for; more is welcome. */
const WANTED = [
  'terminal',
  'firefox',
  'chromium',
  'files',
  'editor',
  'libreoffice',
  'gimp',
  'inkscape',
  'vlc',
  'development',
]
const PROVED_SERVICES = [
  'minetest',
  'node-red',
  'postgresql',
  'radicale',
  'samba',
  'site',
  'synapse',
  'tiddlywiki',
  'verdaccio',
]
const WRITTEN_SERVICES = [
  'adguard-home',
  'element-web',
  'forgejo',
  'home-assistant',
  'immich',
  'jellyfin',
  'n8n',
  'nextcloud',
  'sunshine',
  'uptime-kuma',
  'vaultwarden',
]

test('[TPL-1.catalog] every file of the catalog is valid, and at least the ten expected templates are there', () => {
  expect(files.problems).toEqual([])
  const ids = files.templates.map(({ template }) => template.id)
  expect(ids).toEqual(expect.arrayContaining(WANTED))
  expect(ids).toEqual(readdirSync(join(CATALOG, 'templates')).sort())
})

describe.each(files.templates.map((it) => [it.template.id, it] as const))('%s', (_id, { template, icon }) => {
  test('[TPL-1.launchable] its recipe leads to a base, it resolves without answers and is admitted', () => {
    expect(template.kind !== 'session' || 'recipe' in template.image).toBe(true)
    expect(launchProblems(template, files.recipes)).toEqual([])
  })

  test('its words are sentences, its keywords are lower-case', () => {
    expect(textProblems(template)).toEqual([])
  })

  test('[TPL-1.icon] its icon is a small picture of our own that runs and loads nothing', () => {
    expect(iconProblems(icon)).toEqual([])
  })
})

test('[TPL-1.services] the services are there: those of our own recipes, and those that say that nobody ran them', () => {
  const services = files.templates.flatMap(({ template }) => (template.kind === 'service' ? [template] : []))
  const isOwn = (it: (typeof services)[number]) => it.parts.every((part) => 'recipe' in part.image)
  expect(services.filter(isOwn).map((it) => it.id)).toEqual(PROVED_SERVICES)
  const others = services.filter((it) => !isOwn(it))
  expect(others.map((it) => it.id)).toEqual(WRITTEN_SERVICES)
  for (const it of others) expect(it.description, it.id).toContain(UNPROVED)
})

test('[TPL-4.no-shell-strings] no recipe or template puts an answer into a shell', () => {
  for (const { template } of files.templates) expect(shellProblems(template), template.id).toEqual([])
  for (const [name, layer] of files.recipes) expect(recipeProblems(name, layer), name).toEqual([])
})

test('[TPL-4.kit] the whole catalog passes the lint of `kalnet templates lint`', async () => {
  expect(await lintCatalog(CATALOG)).toEqual([])
})

test.each(Object.entries(catalogSchemas()))(
  '[TPL-1.schema] docs/schema/%s is the current one',
  (name, schema) => {
    const kept = JSON.parse(readFileSync(join(ROOT, 'docs', 'schema', name), 'utf8'))
    expect(kept, 'write it anew: node test/write-schemas.ts').toEqual(schema)
  },
)
