/** From a service template, a person's answers and what is known of the service to one instance spec for each part. Pure. */
import { fail } from '@kalnet/contracts/errors'
import { type InstanceSpec, instanceSpec } from '@kalnet/contracts/instance'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import {
  type Answers,
  type ServicePart,
  type ServiceTemplate,
  SIGN_IN_LINK,
  type TemplateInput,
} from '@kalnet/contracts/template'
import { type Fill, fillIn, type Values } from './placeholders.ts'
import { answersOf, SEALED } from './resolve.ts'

export interface ServiceFacts {
  service: { id: string; name: string; url: string; host: string }
  /** Null: it does not sign people in by us. */
  openid: { issuer: string; client: string } | null
  /** The mark that stands for a secret until the spec is on its way to a controller; `quoted`: for it as a quoted JSON string. */
  secretMark(name: string, quoted?: boolean): string
  /** The id of a part's volume. */
  volumeId(part: string, volume: string): string
  /** What its dependencies offer: the template's name of one → port name → number. Only those that are there. */
  dependencies: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** The marks of what they share: the template's name of one → secret. */
  shared?: Readonly<Record<string, Readonly<Record<string, string>>>>
}
/** A template whole: with the recipes its parts name. */
export interface WholeTemplate {
  template: ServiceTemplate
  chains: Readonly<Record<string, RecipeChain>>
}
export interface PartSpec {
  part: string
  spec: InstanceSpec
}

/** What the answer to a question for a secret is sealed as: no template's own secret has such a name. */
export const answerSecret = (input: string): string => `answer-${input}`

const BOUNDED: readonly TemplateInput['type'][] = ['number', 'boolean', 'choice']

export function resolveService(
  { template, chains }: WholeTemplate,
  given: Answers,
  facts: ServiceFacts,
): PartSpec[] {
  const invalid = (problem: string) => fail('template.invalid', { id: template.id, problem })
  const answers = answersOf(template, given)
  const sealed = new Set(
    template.inputs.flatMap(({ name, type }) => (type === 'secret' && given[name] === SEALED ? [name] : [])),
  )
  for (const name of sealed) answers.set(name, facts.secretMark(answerSecret(name)))
  const values = valuesOf(template, answers, sealed, facts)
  const word = (text: string) => fillIn(template.id, text, values, 'word')

  const portOf = (part: ServicePart, name: string) => {
    const at = part.ports.find((port) => port.name === name)?.at
    return at && 'tcp' in at ? at.tcp : null
  }
  const links = (part: ServicePart) =>
    part.links.flatMap((link) => {
      if (link.signIn) return [{ name: link.name, port: SIGN_IN_LINK.port }]
      if (link.dependency !== undefined) {
        const ports = facts.dependencies[link.dependency]
        // Not chosen: the name leads nowhere.
        if (!ports) return []
        const port = ports[link.port]
        if (!port)
          throw fail('service.dependency', { problem: `${link.dependency} has no port called ${link.port}` })
        return [{ name: link.name, port }]
      }
      const other = template.parts.find((it) => it.name === link.part)
      const port = other && portOf(other, link.port)
      if (!port) throw invalid(`the link ${link.name} of ${part.name} leads to no port`)
      return [{ name: link.name, port }]
    })
  const imageOf = (part: ServicePart) => {
    if ('reference' in part.image) return part.image
    const chain = chains[part.image.recipe]
    if (!chain) throw invalid(`the image of ${part.name} has no recipe`)
    return { recipe: chain }
  }

  return template.parts.map((part, index) => {
    const environment = index === 0 ? environmentOf(template, answers) : {}
    for (const [name, text] of Object.entries(part.environment)) environment[name] = word(text)
    const waitsFor = readyPort(part)
    return {
      part: part.name,
      spec: instanceSpec.parse({
        image: imageOf(part),
        command: part.command.map(word),
        environment,
        workdir: part.workdir,
        ports: part.ports,
        network: part.network,
        resources: part.resources,
        ready: waitsFor ? { port: waitsFor, withinMs: part.readyWithinMs } : null,
        volumes: part.volumes.map((it) => ({ ...it, id: facts.volumeId(part.name, it.name) })),
        files: part.files.map(({ name, content }) => ({
          name,
          content: fillIn(template.id, content, values, 'file'),
        })),
        links: links(part),
        probe: part.probe,
        identity: part.identity,
        labels: { template: template.id, service: facts.service.name, part: part.name },
      }),
    }
  })
}

/** The first port that a connection can be made to: it is ready when that is taken. */
const readyPort = (part: ServicePart): string | null => {
  const probed = part.probe && 'port' in part.probe ? part.probe.port : null
  const port = part.ports.find((it) => (probed ? it.name === probed : true) && 'tcp' in it.at)
  return port?.name ?? null
}

const environmentOf = (template: ServiceTemplate, answers: ReadonlyMap<string, string | null>) => {
  const environment: Record<string, string> = {}
  for (const input of template.inputs) {
    const value = answers.get(input.name)
    if (value !== null && value !== undefined) environment[input.environment] = value
  }
  return environment
}

function valuesOf(
  template: ServiceTemplate,
  answers: ReadonlyMap<string, string | null>,
  sealed: ReadonlySet<string>,
  facts: ServiceFacts,
): Values {
  const values = new Map<string, Fill>()
  const ours = (name: string, text: string) => values.set(name, { text, plain: true })
  for (const input of template.inputs) {
    const text = answers.get(input.name) ?? ''
    if (sealed.has(input.name)) {
      const quoted = facts.secretMark(answerSecret(input.name), true)
      values.set(`answer.${input.name}`, { text, quoted, plain: input.pattern !== undefined })
      continue
    }
    // It would be read once more when secrets are filled in.
    if (text.includes('{{'))
      throw fail('answers.invalid', { problem: `${input.label} contains {{`, field: input.name })
    const plain = input.pattern !== undefined || BOUNDED.includes(input.type)
    values.set(`answer.${input.name}`, { text, plain })
  }
  for (const { name } of template.secrets) ours(`secret.${name}`, facts.secretMark(name))
  // A release that was kept from before they were asked for has none.
  for (const { name, label, secrets } of template.dependencies)
    for (const secret of secrets ?? []) {
      const mark = facts.shared?.[name]?.[secret]
      if (facts.dependencies[name] && mark === undefined)
        throw fail('service.dependency', { problem: `what is chosen for ${label} shares no ${secret}` })
      // Not chosen: nothing.
      ours(`dependency.${name}.${secret}`, mark ?? '')
    }
  ours('service.name', facts.service.name)
  ours('service.url', facts.service.url)
  ours('service.host', facts.service.host)
  if (template.signIn && facts.openid) {
    ours('openid.issuer', facts.openid.issuer)
    ours('openid.client', facts.openid.client)
    ours('openid.secret', facts.secretMark('openid'))
  }
  return values
}
