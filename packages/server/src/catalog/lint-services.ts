/** What is wrong with a service's template, in words: what its parts name must be there, and whose image it runs must be certain. */
import { admissionProblems } from '@kalnet/contracts/admission'
import { chainOf } from '@kalnet/contracts/recipe'
import { type Answers, recipesOf, type ServicePart, type ServiceTemplate } from '@kalnet/contracts/template'
import { resolveService, type ServiceFacts } from './resolve-service.ts'
import type { CatalogFiles } from './source.ts'

/** The sentence by which people know that nobody here has seen it run. */
export const UNPROVED = 'Unproved: written from its documentation, never run here.'
const DIGEST = /@sha256:[0-9a-f]{64}$/
const TAG = /:([\w][\w.-]{0,127})$/
const MOVING = /^(latest|stable|main|master|edge|nightly|dev)$/
const AN_ID = '01890000-0000-7000-8000-000000000000'

/** As it would be at an installation, with every dependency there. */
const factsFor = (template: ServiceTemplate): ServiceFacts => ({
  service: {
    id: AN_ID,
    name: template.id,
    url: `https://${template.id}.example/`,
    host: `${template.id}.example`,
  },
  openid: template.signIn ? { issuer: 'https://kalnet.example/oidc', client: 'client' } : null,
  secretMark: (name) => `{{secret:${name}}}`,
  volumeId: () => AN_ID,
  dependencies: Object.fromEntries(
    template.dependencies.map(({ name }) => [
      name,
      Object.fromEntries(
        template.parts.flatMap((part) =>
          part.links.filter((link) => link.dependency === name).map((link) => [link.port, 1024]),
        ),
      ),
    ]),
  ),
  shared: marksOf(template),
})

/** Its recipes lead to a base, every part resolves with nothing but what must be answered, and is admitted. */
const marksOf = ({ dependencies }: ServiceTemplate) =>
  Object.fromEntries(
    dependencies.map(({ name, secrets }) => [
      name,
      Object.fromEntries(secrets.map((secret) => [secret, `{{secret:${secret}}}`])),
    ]),
  )

export function resolveProblems(
  template: ServiceTemplate,
  recipes: CatalogFiles['recipes'],
  answers: Answers,
): string[] {
  try {
    const chains = Object.fromEntries(recipesOf(template).map((name) => [name, chainOf(name, recipes)]))
    const roots = Object.entries(chains).filter(([, chain]) => chain[0]?.name !== 'base')
    return [
      ...roots.map(
        ([name, chain]) => `the recipe ${name} begins with ${chain[0]?.name}; it should lead to base`,
      ),
      ...resolveService({ template, chains }, answers, factsFor(template)).flatMap(({ part, spec }) =>
        admissionProblems(spec).map((problem) => `part ${part}: ${problem}`),
      ),
    ]
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

function partProblems(template: ServiceTemplate, part: ServicePart): string[] {
  const ports = new Set(part.ports.map((port) => port.name))
  const parts = new Set(template.parts.map((other) => other.name))
  const dependencies = new Set(template.dependencies.map((it) => it.name))
  const problems: string[] = []
  if (part.probe && 'port' in part.probe && !ports.has(part.probe.port))
    problems.push(`its probe asks the port ${part.probe.port}, which it does not have`)
  if (!part.probe) problems.push('has no probe: nobody could tell whether it works')
  for (const name of part.needs) if (!parts.has(name)) problems.push(`needs ${name}, which is no part of it`)
  for (const link of part.links) {
    const { part: other, dependency } = link
    if ([other, dependency, link.signIn].filter((it) => it !== undefined).length !== 1)
      problems.push(`the link ${link.name} leads to a part, to a dependency or to signIn`)
    if (link.signIn && !template.signIn)
      problems.push(`the link ${link.name} leads to our sign-in, by which it signs nobody in`)
    if (dependency !== undefined && !dependencies.has(dependency))
      problems.push(`the link ${link.name} leads to ${dependency}, which is no dependency`)
  }
  if ('recipe' in part.image && part.command.length === 0)
    problems.push('has no command: only images by reference bring their own')
  const places = part.volumes.map((volume) => volume.at)
  if (new Set(places).size < places.length) problems.push('has two volumes at one place')
  return problems.map((problem) => `part ${part.name}: ${problem}`)
}

function doorProblems(template: ServiceTemplate): string[] {
  const first = template.parts[0]
  const kinds = new Map(first?.ports.map((port) => [port.name, port.kind]))
  return template.doors.flatMap((door) => {
    const kind = kinds.get(door.port)
    if (!kind) return [`doors: ${door.port} is no port of ${first?.name}`]
    if (kind !== door.kind) return [`doors: ${door.port} is a port for ${kind}, not for ${door.kind}`]
    return door.kind !== 'http' && door.listen === undefined
      ? [`doors: ${door.port} does not say where the gateway listens`]
      : []
  })
}

/** By digest, so that it stays what was proved. Only what says itself that nobody ran it may name a version instead. */
function imageProblems(template: ServiceTemplate, isProved: boolean): string[] {
  const loose = template.parts.flatMap(({ image }) =>
    'reference' in image && !DIGEST.test(image.reference) ? [image.reference] : [],
  )
  const moving = loose.filter((reference) => MOVING.test(TAG.exec(reference)?.[1] ?? 'latest'))
  const mayBeLoose = !isProved && template.description.includes(UNPROVED)
  return [
    ...moving.map((reference) => `image: ${reference} names no version`),
    ...(mayBeLoose
      ? []
      : loose.map((it) => `image: ${it} needs a digest (@sha256:…), or the page must say "${UNPROVED}"`)),
  ]
}

const signInProblems = ({ signIn, doors }: ServiceTemplate): string[] =>
  signIn?.openid.signOut !== undefined && !doors.some((door) => door.kind === 'http')
    ? ['signIn: signOut is told at a door for http, and it has none']
    : []

export const serviceProblems = (
  template: ServiceTemplate,
  recipes: CatalogFiles['recipes'],
  answers: Answers,
  isProved: boolean,
): string[] => [
  ...resolveProblems(template, recipes, answers),
  ...template.parts.flatMap((part) => partProblems(template, part)),
  ...doorProblems(template),
  ...signInProblems(template),
  ...imageProblems(template, isProved),
  ...(isProved && template.description.includes(UNPROVED)
    ? ['description: it was proved; its page says the contrary']
    : []),
]
