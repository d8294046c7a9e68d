/** Mistakes in services' templates, each told in words. */
import { type NamedRecipe, recipe } from '@kalnet/contracts/recipe'
import { type ServiceTemplate, serviceTemplate } from '@kalnet/contracts/template'
import { expect, test } from 'vitest'
import { serviceProblems, UNPROVED } from './lint-services.ts'

const recipes = new Map<string, NamedRecipe>([
  ['base', recipe.parse({ name: 'base' })],
  ['wiki', { ...recipe.parse({ name: 'wiki' }), extends: 'base' }],
  ['lone', recipe.parse({ name: 'lone' })],
])
const PART = {
  name: 'web',
  image: { recipe: 'wiki' },
  command: ['/usr/lib/kalnet/wiki'],
  ports: [{ name: 'http', kind: 'http', at: { tcp: 8080 } }],
  probe: { kind: 'tcp', port: 'http' },
}
const made = (changes: object, part: object = {}): ServiceTemplate =>
  serviceTemplate.parse({
    id: 'wiki',
    version: '1.0.0',
    name: 'Wiki',
    summary: 'Notes.',
    category: 'office',
    licence: 'MIT',
    kind: 'service',
    parts: [{ ...PART, ...part }],
    doors: [{ port: 'http' }],
    ...changes,
  })
const digest = `example/wiki:1@sha256:${'a'.repeat(64)}`
const loose = { image: { reference: 'example/wiki:1.2.3' }, command: [] }
const DESCRIBED = { description: `${UNPROVED}\nA wiki.` }

test.each<[string, ServiceTemplate, boolean, RegExp | null]>([
  ['a good one', made({}), false, null],
  ['a good one, proved', made({}), true, null],
  ['a recipe that is not there', made({}, { image: { recipe: 'none' } }), false, /no recipe called none/],
  ['a recipe without a base', made({}, { image: { recipe: 'lone' } }), false, /begins with lone/],
  ['a door to nowhere', made({ doors: [{ port: 'web' }] }), false, /web is no port of web/],
  [
    'a door of another kind',
    made({ doors: [{ port: 'http', kind: 'tcp', listen: 1 }] }),
    false,
    /port for http/,
  ],
  [
    'a door without a place',
    made(
      { doors: [{ port: 'db', kind: 'tcp' }] },
      { ports: [...PART.ports, { name: 'db', kind: 'tcp', at: { tcp: 5432 } }] },
    ),
    false,
    /does not say where the gateway listens/,
  ],
  ['a probe of no port', made({}, { probe: { kind: 'tcp', port: 'x' } }), false, /asks the port x/],
  ['no probe', made({}, { probe: null }), false, /has no probe/],
  ['a need of no part', made({}, { needs: ['database'] }), false, /needs database/],
  ['a link to nothing', made({}, { links: [{ name: 'x', port: 'y' }] }), false, /to a part, to a dependency/],
  [
    'a link to the sign-in of who signs nobody in',
    made({}, { links: [{ name: 'x', signIn: true, port: 'http' }] }),
    false,
    /signs nobody in/,
  ],
  [
    'a link to the sign-in',
    made({ signIn: { openid: { callback: '/in' } } }, { links: [{ name: 'x', signIn: true, port: 'http' }] }),
    false,
    null,
  ],
  [
    'told of a sign-out without a door',
    made({ doors: [], signIn: { openid: { callback: '/in', signOut: '/out' } } }),
    false,
    /signOut is told at a door/,
  ],
  [
    'a link to no dependency',
    made({}, { links: [{ name: 'x', dependency: 'mail', port: 'smtp' }] }),
    false,
    /mail, which is no dependency/,
  ],
  [
    'a dependency',
    made(
      { dependencies: [{ name: 'mail', label: 'Mail' }] },
      { links: [{ name: 'x', dependency: 'mail', port: 'smtp' }] },
    ),
    false,
    null,
  ],
  ['an unknown placeholder', made({}, { environment: { A: '{{secret.x}}' } }), false, /is not a placeholder/],
  ['no command', made({}, { command: [] }), false, /has no command/],
  ['an image by digest', made({}, { image: { reference: digest }, command: [] }), false, null],
  ['an image by version', made({}, loose), false, /needs a digest/],
  ['an image by version that says so', made(DESCRIBED, loose), false, null],
  ['an image by version that was proved', made(DESCRIBED, loose), true, /needs a digest/],
  [
    'an image without a version',
    made(DESCRIBED, { image: { reference: 'example/wiki' }, command: [] }),
    false,
    /names no version/,
  ],
  [
    'an image that moves',
    made(DESCRIBED, { image: { reference: 'example/wiki:latest' }, command: [] }),
    false,
    /names no version/,
  ],
  ['proved, though it says no', made(DESCRIBED), true, /says the contrary/],
])('[TPL-1.services] %s', (_what, template, isProved, expected) => {
  const problems = serviceProblems(template, recipes, {}, isProved)
  if (expected === null) expect(problems).toEqual([])
  else expect(problems.join('\n')).toMatch(expected)
})
