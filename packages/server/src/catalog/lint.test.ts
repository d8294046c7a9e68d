import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lintCatalog } from './lint.ts'

const TEMPLATE = `id: paint
version: 1.0.0
name: Paint
summary: Draws pictures.
category: design
keywords: [draw, brush, colour]
licence: MIT
kind: session
image: { recipe: paint }
command: [/usr/lib/kalnet/session, paint]
`
const RECIPE = 'name: paint\nextends: base\npackages: [paint]\n'
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14"/></svg>'

let root = ''
const put = async (path: string, content: string) => {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), content)
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kalnet-lint-'))
  await put('images/base/recipe.yaml', 'name: base\npackages: [bash]\n')
  await put('images/paint/recipe.yaml', RECIPE)
  await put('templates/paint/template.yaml', TEMPLATE)
  await put('templates/paint/icon.svg', ICON)
})
afterEach(() => rm(root, { recursive: true, force: true }))

it('[TPL-4.kit] a good template has no problems', async () => {
  expect(await lintCatalog(root)).toEqual([])
})

const AT = {
  template: 'templates/paint/template.yaml',
  recipe: 'images/paint/recipe.yaml',
  icon: 'templates/paint/icon.svg',
}
const template = (from: string, to: string) => ['template', TEMPLATE.replace(from, to)] as const
const icon = (more: string) => ['icon', ICON.replace('</svg>', `${more}</svg>`)] as const

it.each([
  ['broken YAML', ...template('[draw', '[[draw'), /\(line 7, column \d+/],
  ['an unknown key', ...template('licence', 'colour: red\nlicence'), /colour.*\(line 7, column 9\)/],
  ['a wrong field', ...template('1.0.0', 'one'), /^version: .*\(line 2, column 10\)/],
  ['no sentence', ...template('Draws pictures.', 'draws'), /is not a sentence/],
  ['too few keywords', ...template('[draw, brush, colour]', '[draw]'), /3 or more/],
  ['a missing recipe', ...template('recipe: paint', 'recipe: pain'), /no recipe called pain/],
  ['another entry', ...template('/usr/lib/kalnet/session, ', ''), /starts the screen/],
  ['a shell', ...template('session, paint', 'session, /bin/bash, -c, "paint $START"'), /a shell could read/],
  ['a refused variable', ...template('licence', 'environment: { LD_PRELOAD: x }\nlicence'), /LD_PRELOAD/],
  [
    'a wrong default',
    ...template(
      'licence',
      'inputs: [{ name: a, label: Page, type: url, environment: A, default: x }]\nlicence',
    ),
    /Page is not a web address/,
  ],
  ['another base', 'recipe', 'name: paint\n', /should lead to base/],
  ['another name', 'recipe', RECIPE.replace('name: paint', 'name: other'), /its folder is called paint/],
  ['an eval', 'recipe', `${RECIPE}files: [{ path: /a, content: 'eval "$X"' }]\n`, /uses eval/],
  ['a circle', 'recipe', 'name: paint\nextends: paint\n', /continues itself/],
  ['a script in the icon', ...icon('<script/>'), /more than shapes.*script/],
  ['an event in the icon', ...icon('<rect onload="x"/>'), /could run or load something: onload/],
  ['a huge icon', ...icon('<path/>'.repeat(1000)), /4096 is the limit/],
] as const)('[TPL-4.kit] the lint says %s in words, with its file', async (_name, which, text, words) => {
  await put(AT[which], text)
  const problems = await lintCatalog(root, ['paint'])
  expect(problems.map(({ problem }) => problem).join('\n')).toMatch(words)
})

it('[TPL-4.kit] every problem of a file is said, and those of other templates are not', async () => {
  await put(AT.template, TEMPLATE.replace('1.0.0', 'one').replace('design', 'painting'))
  await put('templates/other/template.yaml', 'id: [')
  const problems = await lintCatalog(root, ['paint'])
  expect(problems).toHaveLength(1)
  expect(problems[0]?.file).toBe(AT.template)
  expect(problems[0]?.problem).toMatch(/version: .*; category: /)
  expect(await lintCatalog(root)).toHaveLength(2)
})
