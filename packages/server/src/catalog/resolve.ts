/** From a template and a person's answers to an instance spec. Pure. */
import { fail } from '@kalnet/contracts/errors'
import { type InstanceSpec, instanceSpec } from '@kalnet/contracts/instance'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import type { Answers, SessionTemplate, TemplateInput } from '@kalnet/contracts/template'

/** What is said of a secret that is kept sealed. */
export const SEALED = true

export const refuse = (input: TemplateInput, problem: string) =>
  fail('answers.invalid', { problem: `${input.label} ${problem}`, field: input.name })

export function checkText(input: TemplateInput, answer: string): string {
  if (answer.length > input.maxLength) throw refuse(input, `is longer than ${input.maxLength} characters`)
  if ([...answer].some((letter) => letter < ' ' || letter === '\u007f'))
    throw refuse(input, 'contains control characters')
  if (input.type === 'choice' && !input.choices?.includes(answer))
    throw refuse(input, 'is not one of the choices')
  if (input.type === 'url') {
    const url = URL.canParse(answer) ? new URL(answer) : null
    if (!url || !['http:', 'https:'].includes(url.protocol))
      throw refuse(input, 'is not a web address (http or https)')
    return url.href
  }
  if (input.pattern && !new RegExp(`^(?:${input.pattern})$`, 'u').test(answer))
    throw refuse(input, 'has letters that do not fit')
  return answer
}

/** The value of one input as text for its environment variable; null when left empty. */
function textOf(input: TemplateInput, given: Answers[string] | undefined): string | null {
  const answer = given === undefined || given === '' ? input.default : given
  if (answer === undefined || answer === '') {
    if (input.required) throw refuse(input, 'is needed')
    return null
  }
  if (input.type === 'number') {
    if (typeof answer !== 'number' || !Number.isFinite(answer)) throw refuse(input, 'is not a number')
    return String(answer)
  }
  if (input.type === 'boolean') {
    if (typeof answer !== 'boolean') throw refuse(input, 'is not yes or no')
    return answer ? '1' : '0'
  }
  if (input.type === 'secret' && answer === SEALED) return ''
  if (typeof answer !== 'string') throw refuse(input, 'is not text')
  return checkText(input, answer)
}

/** Every input's answer as text, null where it was left empty. Throws answers.invalid; also for what was not asked. */
export function answersOf(
  template: { id: string; inputs: readonly TemplateInput[] },
  given: Answers,
): Map<string, string | null> {
  const known = new Set(template.inputs.map((input) => input.name))
  const stranger = Object.keys(given).find((name) => !known.has(name))
  if (stranger)
    throw fail('answers.invalid', {
      problem: `${stranger} is not asked for by ${template.id}`,
      field: stranger,
    })
  return new Map(template.inputs.map((input) => [input.name, textOf(input, given[input.name])]))
}

/** `chain` is the recipe of the template's image, null when it names an image by reference. */
export function resolveTemplate(
  template: SessionTemplate,
  given: Answers,
  chain: RecipeChain | null,
): InstanceSpec {
  if (template.inputs.some((input) => input.type === 'secret'))
    throw fail('template.invalid', { id: template.id, problem: 'a session keeps no secrets' })
  const answers = answersOf(template, given)
  const environment: Record<string, string> = {
    ...template.environment,
    DISPLAY_WIDTH: String(template.display.width),
    DISPLAY_HEIGHT: String(template.display.height),
  }
  for (const input of template.inputs) {
    const value = answers.get(input.name)
    if (value !== null && value !== undefined) environment[input.environment] = value
  }
  const image = 'reference' in template.image ? template.image : chain ? { recipe: chain } : null
  if (!image) throw fail('template.invalid', { id: template.id, problem: 'its image has no recipe' })
  return instanceSpec.parse({
    image,
    command: template.command,
    environment,
    ports: [
      { name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } },
      ...template.ports,
    ],
    network: template.network,
    resources: template.resources,
    restart: 'never',
    ready: { port: 'display', withinMs: template.readyWithinMs },
    labels: { template: template.id },
  })
}
