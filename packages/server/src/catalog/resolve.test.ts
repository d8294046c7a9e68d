import { sessionTemplate } from '@kalnet/contracts/template'
import { describe, expect, it } from 'vitest'
import { resolveTemplate } from './resolve.ts'

const browser = sessionTemplate.parse({
  id: 'browser',
  version: '1.0.0',
  name: 'Browser',
  summary: 'The web',
  category: 'browsers',
  licence: 'MPL-2.0',
  kind: 'session',
  image: { recipe: 'browser' },
  command: ['/usr/lib/kalnet/session', 'browser'],
  environment: { LANG: 'C.UTF-8' },
  inputs: [
    { name: 'page', label: 'Start page', type: 'url', environment: 'START_URL' },
    { name: 'zoom', label: 'Zoom', type: 'number', environment: 'ZOOM', default: 1 },
    { name: 'look', label: 'Look', type: 'choice', choices: ['dark', 'light'], environment: 'LOOK' },
    { name: 'quiet', label: 'Quiet', type: 'boolean', environment: 'QUIET' },
  ],
})
const chain = [{ name: 'browser', suite: 'bookworm' as const, packages: [], files: [], remove: [], run: [] }]

describe('resolveTemplate', () => {
  it('[TPL-1.resolve] answers reach the environment; the display is a unix socket', () => {
    const spec = resolveTemplate(browser, { page: 'https://example.org', quiet: true }, chain)
    expect(spec.environment).toEqual({
      LANG: 'C.UTF-8',
      DISPLAY_WIDTH: '1280',
      DISPLAY_HEIGHT: '800',
      START_URL: 'https://example.org/',
      ZOOM: '1',
      QUIET: '1',
    })
    expect(spec.ports).toEqual([
      { name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } },
    ])
    expect(spec.restart).toBe('never')
  })

  it.each([
    ['an unknown answer', { colour: 'red' }, 'colour is not asked for by browser'],
    ['a script address', { page: 'javascript:alert(1)' }, 'Start page is not a web address'],
    ['a file address', { page: 'file:///etc/passwd' }, 'Start page is not a web address'],
    ['a line break', { page: 'https://a.example/\nX=1' }, 'Start page contains control characters'],
    ['text for a number', { zoom: 'two' }, 'Zoom is not a number'],
    ['no such choice', { look: 'pink' }, 'Look is not one of the choices'],
    ['text for yes or no', { quiet: 'yes' }, 'Quiet is not yes or no'],
    [
      'a huge answer',
      { page: `https://a.example/${'a'.repeat(300)}` },
      'Start page is longer than 200 characters',
    ],
  ])('[TPL-1.answers] refuses %s', (_name, answers, words) => {
    expect(() => resolveTemplate(browser, answers as never, chain)).toThrow(words)
  })
})
