/** Publishing templates into real git repositories of files. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '@kalnet/io/spawn'
import { lintCatalog } from '@kalnet/server/catalog/lint'
import { readCatalog } from '@kalnet/server/catalog/source'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cli } from '../testing.ts'
import { ROOT } from '../tree.ts'

let home = ''
let catalog = ''
let bare = ''
const kit = (...args: string[]) => cli(home, 'templates', ...args, '--catalog', catalog)
const publish = (...args: string[]) => kit('publish', ...args, '--to', bare)
const git = async (...args: string[]) => (await must('git', args)).stdout.trim()
/** What is there, as somebody else gets it. */
async function fetched(branch = 'main'): Promise<string> {
  const folder = await mkdtemp(join(home, 'fetched-'))
  await git('clone', '--quiet', '--branch', branch, bare, folder)
  return folder
}
const idsIn = async (folder: string) => (await readCatalog(folder)).templates.map((it) => it.template.id)
const edit = async (file: string, change: (text: string) => string) =>
  writeFile(join(catalog, file), change(await readFile(join(catalog, file), 'utf8')))

/** Some of the catalog: reading all of it takes the longest here. */
const PARTS = [
  'proved.json',
  ...['base', 'display', 'terminal', 'gtk', 'files', 'site', 'python', 'radicale'].map(
    (it) => `images/${it}`,
  ),
  ...['terminal', 'files', 'site', 'radicale'].map((it) => `templates/${it}`),
]
const NAMES = ['GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL']
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kal-publish-'))
  catalog = join(home, 'catalog')
  bare = join(home, 'templates.git')
  for (const part of PARTS) await cp(join(ROOT, 'catalog', part), join(catalog, part), { recursive: true })
  await git('init', '--quiet', '--bare', '--initial-branch', 'main', bare)
  for (const name of NAMES) process.env[name] = name.endsWith('NAME') ? 'Ada' : 'ada@example.org'
})
afterEach(async () => {
  for (const name of NAMES) delete process.env[name]
  await rm(home, { recursive: true, force: true })
})

describe('[TPL-4.publish] a template goes into a repository', () => {
  test('with the recipes below it; what others fetch is a valid catalog', async () => {
    const { code, out } = await publish('terminal')
    expect([code, out]).toEqual([0, expect.stringContaining('terminal ')])
    const there = await fetched()
    expect(await idsIn(there)).toEqual(['terminal'])
    expect(await lintCatalog(there)).toEqual([])
    expect((await readdir(join(there, 'images'))).sort()).toEqual(['base', 'display', 'terminal'])
    expect(await git('-C', bare, 'log', '-1', '--format=%an %s')).toMatch(
      /^Ada Publish terminal \d+\.\d+\.\d+$/,
    )
  })

  test('with its proof, when that is of this version; a service with its packages locked', async () => {
    await publish('radicale', 'site')
    const there = await fetched()
    const ours = JSON.parse(await readFile(join(catalog, 'proved.json'), 'utf8'))
    expect(JSON.parse(await readFile(join(there, 'proved.json'), 'utf8'))).toEqual({
      radicale: ours.radicale,
      site: ours.site,
    })
    expect(await readdir(join(there, 'images/radicale'))).toContain('requirements.txt')
    expect(await lintCatalog(there)).toEqual([])
  })

  test('again changes nothing; a raised version takes the place; another branch is its own', async () => {
    await publish('terminal')
    const { out, code } = await publish('terminal', '--json')
    expect([code, JSON.parse(out)]).toMatchObject([0, { published: false, items: [{ change: 'same' }] }])
    await edit('templates/terminal/template.yaml', (text) => text.replace(/^version: .*$/m, 'version: 9.0.0'))
    expect((await publish('terminal')).out).toContain('terminal 9.0.0, was ')
    expect(await git('-C', bare, 'rev-list', '--count', 'main')).toBe('2')
    // Another version was proved than the one that is there now.
    expect(await readFile(join(await fetched(), 'proved.json'), 'utf8')).not.toContain('terminal')
    await publish('site', '--branch', 'trial')
    expect(await idsIn(await fetched('trial'))).toEqual(['site'])
    expect(await idsIn(await fetched())).toEqual(['terminal'])
  })

  test('with what it starts from', async () => {
    const text = await readFile(join(catalog, 'templates/terminal/template.yaml'), 'utf8')
    await mkdir(join(catalog, 'templates/small'))
    await cp(join(catalog, 'templates/terminal/icon.svg'), join(catalog, 'templates/small/icon.svg'))
    await writeFile(
      join(catalog, 'templates/small/template.yaml'),
      `id: small\nversion: ${/^version: (.*)$/m.exec(text)?.[1]}\nextends: terminal\nname: Small\n`,
    )
    await publish('small')
    const there = await fetched()
    expect(await idsIn(there)).toEqual(['small', 'terminal'])
    expect(await lintCatalog(there)).toEqual([])
  })

  test('others that are made of a recipe that changes are named', async () => {
    await publish('terminal', 'files')
    await edit('images/display/recipe.yaml', (text) => `${text}\n# changed\n`)
    await edit('templates/terminal/template.yaml', (text) => text.replace(/^version: .*$/m, 'version: 9.0.0'))
    const { out } = await publish('terminal', '--dry-run')
    expect(out).toContain('files')
    expect(out).toContain('Nothing was changed')
    expect(await git('-C', bare, 'rev-list', '--count', 'main')).toBe('1')
  })

  test('two at the same moment: both are there', async () => {
    await publish('terminal')
    const both = await Promise.all([publish('files'), publish('site')])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect((await idsIn(await fetched())).sort()).toEqual(['files', 'site', 'terminal'])
  })
})

describe('[TPL-4.publish] refused in words, and nothing is changed', () => {
  const unchanged = async () => expect(await git('-C', bare, 'rev-list', '--count', '--all')).toBe('1')
  beforeEach(async () => {
    await publish('terminal')
  })

  test('something else under a version that is published', async () => {
    await edit('templates/terminal/template.yaml', (text) =>
      text.replace(/^summary: .*$/m, 'summary: Another.'),
    )
    const { code, err } = await publish('terminal')
    expect([code, err]).toEqual([
      4,
      expect.stringMatching(/published there, and what is here is something else.*Raise/s),
    ])
    await edit('templates/terminal/template.yaml', (text) => text.replace(/^version: .*$/m, 'version: 0.0.1'))
    expect((await publish('terminal')).code).toBe(4)
    await unchanged()
  })

  test('one that is not valid, and one that is not there', async () => {
    await edit('templates/files/template.yaml', (text) => text.replace(/^summary: .*$/m, 'summary: nothing'))
    expect(await publish('files')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is not a sentence'),
    })
    expect(await publish('termnal')).toMatchObject({
      code: 2,
      err: expect.stringContaining('mean terminal?'),
    })
    await unchanged()
  })

  test.each([
    ['is not there', '/nowhere/at-all.git', /could not be fetched/],
    ['is an option', '--upload-pack=touch /tmp/kalnet-was-here', /could not be fetched/],
    ['runs a program', 'ext::sh -c "touch /tmp/kalnet-was-here"', /could not be fetched/],
    ['holds a password', 'https://ada:secret-word@127.0.0.1:1/x.git', /could not be fetched/],
  ])('a repository that %s', async (_, to, words) => {
    const { code, err } = await kit('publish', 'site', `--to=${to}`)
    expect(code).toBe(1)
    expect(err).toMatch(words)
    expect(err).not.toContain('secret-word')
    await unchanged()
  })

  test('a branch that cannot be one, a repository that may not be written', async () => {
    expect(await publish('site', '--branch', 'a..b')).toMatchObject({ code: 2 })
    await writeFile(join(bare, 'hooks/pre-receive'), '#!/bin/sh\necho no entry >&2; exit 1\n', {
      mode: 0o755,
    })
    expect(await publish('site')).toMatchObject({ code: 1, err: expect.stringContaining('no entry') })
    await unchanged()
  })

  test('a link in the repository leads nothing out of it', async () => {
    const there = await fetched()
    const outside = join(home, 'outside')
    await mkdir(outside)
    await rm(join(there, 'templates'), { recursive: true })
    await symlink(outside, join(there, 'templates'))
    await git('-C', there, 'add', '--all')
    await git('-C', there, 'commit', '--quiet', '-m', 'a link')
    await git('-C', there, 'push', '--quiet')
    expect((await publish('site')).code).not.toBe(0)
    expect(await readdir(outside)).toEqual([])
  })
})
