/** Every template of the catalog: its files, its words, its picture, its recipe; and the published schemas are the current ones. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { admissionProblems } from '@kalnet/contracts/admission'
import { catalogSchemas } from '@kalnet/contracts/catalog-schemas'
import { chainOf } from '@kalnet/contracts/recipe'
import { resolveTemplate } from '@kalnet/server/catalog/resolve'
import { readCatalog } from '@kalnet/server/catalog/source'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CATALOG = join(ROOT, 'catalog')
const files = await readCatalog(CATALOG)
const ICON_BYTES = 4096
/** Nothing that runs, loads or hides: shapes, colours and a title. */
const SHAPES = /^(svg|title|rect|circle|ellipse|path|line|polyline|polygon|g)$/

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

test('[TPL-1.catalog] every file of the catalog is valid, and at least the ten expected templates are there', () => {
  expect(files.problems).toEqual([])
  const ids = files.templates.map(({ template }) => template.id)
  expect(ids).toEqual(expect.arrayContaining(WANTED))
  expect(ids).toEqual(readdirSync(join(CATALOG, 'templates')).sort())
})

describe.each(files.templates.map((it) => [it.template.id, it.template] as const))('%s', (id, template) => {
  test('[TPL-1.launchable] its recipe leads to a base, it resolves without answers and is admitted', () => {
    const chain = 'recipe' in template.image ? chainOf(template.image.recipe, files.recipes) : null
    expect(chain?.[0]?.name).toBe('base')
    const answers = Object.fromEntries(
      template.inputs.filter((input) => input.required).map((input) => [input.name, 'https://example.org']),
    )
    const spec = resolveTemplate(template, answers, chain)
    expect(admissionProblems(spec)).toEqual([])
    expect(spec.ready?.port).toBe('display')
    expect(spec.command[0]).toBe('/usr/lib/kalnet/session')
  })

  test('its words are sentences, its keywords are lower-case', () => {
    expect(template.summary).toMatch(/^[A-Z].*\.$/)
    expect(template.summary.length).toBeLessThanOrEqual(120)
    expect(template.keywords.length).toBeGreaterThan(2)
    expect(template.keywords.every((word) => word === word.toLowerCase())).toBe(true)
  })

  test('[TPL-1.icon] its icon is a small picture of our own that runs and loads nothing', () => {
    const svg = readFileSync(join(CATALOG, 'templates', id, template.icon), 'utf8')
    expect(svg.length).toBeLessThan(ICON_BYTES)
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 64 64"/)
    const names = [...svg.matchAll(/<([A-Za-z:]+)/g)].map((match) => match[1] ?? '')
    expect(names.filter((name) => !SHAPES.test(name))).toEqual([])
    expect(svg).not.toMatch(/\son\w+=|href|url\(|<!|<\?|style/)
    expect(svg).toContain('rx="14"')
  })
})

test('[TPL-4.no-shell-strings] no recipe or template puts an answer into a shell', () => {
  for (const { template } of files.templates) {
    const shells = template.command.filter((word) => /^(ba|da)?sh$/.test(word) || word === '-c')
    expect(shells, template.id).toEqual([])
  }
  for (const layer of files.recipes.values())
    for (const file of layer.files) expect(file.content, `${layer.name} ${file.path}`).not.toMatch(/\beval\b/)
})

test.each(Object.entries(catalogSchemas()))(
  '[TPL-1.schema] docs/schema/%s is the current one',
  (name, schema) => {
    const kept = JSON.parse(readFileSync(join(ROOT, 'docs', 'schema', name), 'utf8'))
    expect(kept, 'write it anew: node test/write-schemas.ts').toEqual(schema)
  },
)
