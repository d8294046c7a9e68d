import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readCatalog } from './source.ts'

let root = ''
const put = async (path: string, content: string) => {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), content)
}
const good = (id: string, more = '') => `id: ${id}
version: 1.0.0
name: Good
summary: A good one
category: tools
licence: MIT
kind: session
image: { recipe: terminal }
command: [xterm]
${more}`

describe('readCatalog', () => {
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'kalnet-catalog-'))
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  it.each([
    ['an unknown key', good('bad', 'colour: red'), /colour/],
    ['a wrong type', good('bad').replace('A good one', '[1, 2]'), /summary/],
    ['broken YAML', 'id: [bad', /line \d+, column \d+/],
    ['an id that is not the folder', good('other'), /its id is other but its folder is called bad/],
    ['a circle', good('bad', 'extends: bad'), /circle/],
    ['a missing parent', good('bad', 'extends: nobody'), /extends nobody/],
    ['an alias bomb', `a: &a [x,x]\nb: &b [${'*a,'.repeat(30)}]\nc: [${'*b,'.repeat(30)}]`, /alias/i],
    ['an empty file', '', /it/],
  ])(
    '[TPL-1.invalid] %s is a problem in words and harms no other template',
    async (_name, content, words) => {
      await put('templates/bad/template.yaml', content)
      await put('templates/bad/icon.svg', '<svg/>')
      await put('templates/good/template.yaml', good('good'))
      await put('templates/good/icon.svg', '<svg/>')
      const read = await readCatalog(root)
      expect(read.templates.map((one) => one.template.id)).toEqual(['good'])
      expect(read.problems).toHaveLength(1)
      expect(read.problems[0]?.problem).toMatch(words)
    },
  )

  it('[TPL-1.inheritance] a template starts from another one and its own fields win', async () => {
    await put('templates/good/template.yaml', good('good', 'keywords: [one]'))
    await put('templates/good/icon.svg', '<svg/>')
    await put('templates/child/template.yaml', 'id: child\nextends: good\nname: Child\n')
    await put('templates/child/icon.svg', '<svg/>')
    const child = (await readCatalog(root)).templates.find((one) => one.template.id === 'child')
    expect(child?.template).toMatchObject({ name: 'Child', summary: 'A good one', keywords: ['one'] })
  })
})
