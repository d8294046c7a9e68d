/** Service templates resolved: what people answer ends up in programs' settings and nowhere else. */
import { KalnetError } from '@kalnet/contracts/errors'
import { type ServiceTemplate, serviceTemplate } from '@kalnet/contracts/template'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { resolveService, type ServiceFacts } from './resolve-service.ts'

const facts: ServiceFacts = {
  service: { id: 'one', name: 'notes', url: 'https://notes.example.org', host: 'notes.example.org' },
  openid: { issuer: 'https://home.example.org/oidc', client: 'app-1' },
  secretMark: (name) => `{{secret:service/notes/${name}}}`,
  volumeId: () => '01920000-0000-7000-8000-000000000001',
  dependencies: { store: { sql: 5432 } },
}
const template = (part: object, more: object = {}): ServiceTemplate =>
  serviceTemplate.parse({
    id: 'notes',
    version: '1.0.0',
    name: 'Notes',
    summary: 'Notes',
    category: 'tools',
    licence: 'MIT',
    kind: 'service',
    inputs: [
      { name: 'title', label: 'Title', type: 'text', environment: 'TITLE' },
      { name: 'word', label: 'Word', type: 'text', pattern: '[a-z]{1,20}', environment: 'WORD' },
      { name: 'many', label: 'Many', type: 'number', default: 3, environment: 'MANY' },
    ],
    secrets: [{ name: 'key' }],
    parts: [{ name: 'web', image: { reference: 'none' }, command: ['run'], ...part }],
    ...more,
  })
const resolve = (it: ServiceTemplate, answers = {}, known: ServiceFacts = facts) => {
  const [first] = resolveService({ template: it, chains: {} }, answers, known)
  if (!first) throw new Error('no part')
  return first.spec
}
const problemOf = (work: () => unknown): string => {
  try {
    work()
    return 'none'
  } catch (error) {
    if (error instanceof KalnetError) return `${error.code}: ${String(error.details.problem)}`
    throw error
  }
}

describe('[NET-5.fill] placeholders', () => {
  it('are text in the environment and in commands', () => {
    const spec = resolve(
      template({
        command: ['run', '--title={{answer.title}}', '{{service.url}}'],
        environment: {
          KEY: '{{secret.key}}',
          BOTH: '{{service.name}} at {{ service.host }}',
          MORE: '{{answer.many}}',
        },
      }),
      { title: 'Our "notes" $HOME; rm -rf /' },
    )
    expect(spec.command).toEqual(['run', '--title=Our "notes" $HOME; rm -rf /', 'https://notes.example.org'])
    expect(spec.environment).toEqual({
      TITLE: 'Our "notes" $HOME; rm -rf /',
      MANY: '3',
      KEY: '{{secret:service/notes/key}}',
      BOTH: 'notes at notes.example.org',
      MORE: '3',
    })
  })

  const HOSTILE = [
    '"',
    "'",
    '\\',
    '\\"',
    '"\nadmin: true',
    'x: y # z',
    '- a',
    '&anchor *anchor !!tag',
    '%YAML',
    '\u2028admin: true',
    '\u0085admin: true',
    '$HOME $(id) `id`',
    '<script>',
    'null',
    '0x10',
    '😀 ñ \ufeff',
  ]
  it.each(HOSTILE)('in a file they stay one string: %j', (title) => {
    const it = template({
      files: [{ name: 'settings.yaml', content: 'title: {{answer.title}}\nadmin: false\n' }],
    })
    const problem = problemOf(() => resolve(it, { title }))
    // Control characters are refused before.
    if (problem !== 'none')
      return expect([title, problem]).toEqual([
        expect.stringMatching(/\p{Cc}/u),
        'answers.invalid: Title contains control characters',
      ])
    const content = resolve(it, { title }).files[0]?.content ?? ''
    expect(parse(content)).toEqual({ title, admin: false })
    expect(content.split(/[\n\r\u0085\u2028\u2029]/).length).toBe(3)
    expect(JSON.parse(content.slice('title: '.length, content.indexOf('\nadmin')))).toBe(title)
  })
  it('without quotes only what is bounded', () => {
    const file = (content: string) => template({ files: [{ name: 'settings.ini', content }] })
    const content = (it: ServiceTemplate, answers = {}) => resolve(it, answers).files[0]?.content
    expect(
      content(file('[web]\nword={{plain answer.word}}\nmany={{plain answer.many}}\n'), { word: 'abc' }),
    ).toBe('[web]\nword=abc\nmany=3\n')
    expect(content(file('key={{plain secret.key}}'))).toBe('key={{secret:service/notes/key}}')
    expect(problemOf(() => content(file('title={{plain answer.title}}'), { title: 'x' }))).toBe(
      'template.invalid: {{plain answer.title}} needs a pattern to stand without quotes',
    )
    expect(problemOf(() => content(file('word={{plain answer.word}}'), { word: 'a]\nb' }))).toContain(
      'answers.invalid',
    )
  })

  it.each([
    [
      'an unknown one',
      { environment: { X: '{{answer.other}}' } },
      {},
      'template.invalid: {{answer.other}} is not a placeholder',
    ],
    [
      'a mark of a secret',
      { environment: { X: '{{secret:service/other/key}}' } },
      {},
      'is not a placeholder',
    ],
    ['a secret it does not have', { environment: { X: '{{secret.other}}' } }, {}, 'is not a placeholder'],
    [
      'of signing in, where it does not',
      { environment: { X: '{{openid.secret}}' } },
      {},
      'is not a placeholder',
    ],
    [
      'an answer that names a secret',
      {},
      { title: '{{secret:service/notes/key}}' },
      'answers.invalid: Title contains {{',
    ],
    ['an answer to nothing', {}, { colour: 'red' }, 'answers.invalid: colour is not asked for by notes'],
  ] as const)('refused: %s', (_name, part, answers, problem) => {
    expect(problemOf(() => resolve(template(part), answers))).toContain(problem)
  })

  it('signing in by us', () => {
    const it = template(
      {
        environment: {
          ISSUER: '{{openid.issuer}}',
          CLIENT: '{{openid.client}}',
          SECRET: '{{openid.secret}}',
        },
      },
      { signIn: { openid: { callback: '/back' } } },
    )
    expect(resolve(it).environment).toMatchObject({
      ISSUER: 'https://home.example.org/oidc',
      CLIENT: 'app-1',
      SECRET: '{{secret:service/notes/openid}}',
    })
  })
})

describe('[NET-5.links] what a part may reach', () => {
  const dependencies = [{ name: 'store', label: 'Store', required: false }]
  const linked = (link: object) => template({ links: [{ name: 'db', ...link }] }, { dependencies })
  it('a port of a dependency, by its number', () => {
    expect(resolve(linked({ dependency: 'store', port: 'sql' })).links).toEqual([{ name: 'db', port: 5432 }])
    expect(
      resolve(linked({ dependency: 'store', port: 'sql' }), {}, { ...facts, dependencies: {} }).links,
    ).toEqual([])
  })
  it.each([
    [
      'a port it does not have',
      { dependency: 'store', port: 'web' },
      'service.dependency: store has no port called web',
    ],
    [
      'a part that is not there',
      { part: 'other', port: 'web' },
      'template.invalid: the link db of web leads to no port',
    ],
  ] as const)('not %s', (_name, link, problem) => {
    expect(problemOf(() => resolve(linked(link)))).toBe(problem)
  })
})
