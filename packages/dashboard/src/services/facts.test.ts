/** What a card says, what a filter finds, what a field takes. */
import { describe, expect, test } from 'vitest'
import { SERVICES } from '../../dev/services-fixtures.ts'
import { find, healthOf, matching, needsLook, openable, progressOf, restartsOf } from './facts.ts'
import {
  addressFor,
  freeName,
  installNameProblem,
  replicasProblem,
  tagsOf,
  tagsProblem,
} from './settings-text.ts'

const names = (items: { name: string }[]) => items.map(({ name }) => name)
const one = (name: string) => {
  const found = SERVICES.find((it) => it.name === name)
  if (!found) throw new Error(`no ${name}`)
  return found
}

describe('[DSH-1.services] searching and filtering', () => {
  test.each<[string, string, Parameters<typeof find>[2], string[]]>([
    ['a title', 'notes', 'all', ['notes']],
    ['two words in any order', 'red node', 'all', ['automation']],
    ['nothing', 'zebra', 'all', []],
    ['what stands still', '', 'down', ['wiki']],
    ['what needs a look', '', 'trouble', ['packages', 'games']],
    ['both', 'notes', 'down', []],
  ])('%s', (_, text, kind, expected) => {
    expect(names(find(SERVICES, text, kind))).toEqual(expected)
  })
  test('who looks after nothing sees what opens', () => {
    expect(openable(SERVICES).every(({ url }) => url !== null)).toBe(true)
    expect(openable(SERVICES).length).toBeLessThan(SERVICES.length)
  })
})

describe('[DSH-1.services] what a card says', () => {
  test('the worst health counts', () => {
    expect(healthOf(one('packages'))?.state).toBe('unhealthy')
    expect(healthOf(one('database'))?.state).toBe('healthy')
  })
  test('restarts of all instances are counted', () => expect(restartsOf(one('games'))).toBe(4))
  test('one that waits to be started again needs a look', () => expect(needsLook(one('games'))).toBe(true))
  test('progress is the machine’s own words', () => {
    expect(progressOf(one('album'))?.text).toBe('Unpacking its files')
  })
})

describe('[DSH-1.install] what is written', () => {
  test.each([
    ['notes', undefined],
    ['Notes', 'Small letters, digits and dashes only, a letter or digit first.'],
    ['', 'Small letters, digits and dashes only, a letter or digit first.'],
    ['wiki', 'There is a service of this name already.'],
  ])('the name %s', (name, expected) => {
    expect(installNameProblem(name, ['wiki'])).toBe(expected)
  })
  test('a free name', () => {
    expect(freeName('wiki', [])).toBe('wiki')
    expect(freeName('wiki', ['wiki', 'wiki-2'])).toBe('wiki-3')
  })
  test.each([
    [
      'as the others',
      [{ name: 'notes', url: 'https://notes.home.arpa:7443/' }],
      'https://new.home.arpa:7443',
    ],
    ['an address of another kind tells nothing', [{ name: 'notes', url: 'https://pad.example/' }], null],
    ['no other', [{ name: 'notes', url: null }], null],
  ])('the address: %s', (_, others, expected) => {
    expect(addressFor('new', others)).toBe(expected)
  })
  test('tags', () => {
    expect(tagsOf(' photos,  family photos ')).toEqual(['photos', 'family'])
    expect(tagsProblem('a b')).toBeUndefined()
    expect(tagsProblem('größe')).toBeDefined()
  })
  test.each([
    ['1', true],
    ['20', true],
    ['0', false],
    ['1.5', false],
    ['', false],
  ])('replicas %s', (text, fits) => {
    expect(replicasProblem(text) === undefined).toBe(fits)
  })
})

test('[DSH-1.logs] lines with every word are found', () => {
  expect(matching(['GET /a 200', 'POST /b 500'], 'post 500')).toEqual(['POST /b 500'])
})
