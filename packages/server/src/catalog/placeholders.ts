/**
 * Placeholders of service templates: `{{answer.x}}`, `{{service.url}}` … In the environment and in commands the text itself; in files a
 * quoted JSON string, so that no answer can end the string it stands in. One pass: what is put in is never read again. Pure.
 */
import { fail } from '@kalnet/contracts/errors'

export interface Fill {
  text: string
  /** It may stand in a file without quotes: its letters are bounded by a pattern, or it is ours. */
  plain: boolean
  /** What stands in a file instead of the quoted text, where the text is not known yet. */
  quoted?: string
}
export type Values = ReadonlyMap<string, Fill>

const ANY = /\{\{([^{}]*)\}\}/g
const FORM = /^\s*(plain\s+)?([a-z]+(?:\.[a-z0-9-]+){1,2})\s*$/
/** Ends a line, or is not seen: nothing of it stands in a file without quotes. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u

/** JSON, and also a double-quoted string of YAML: its line ends that JSON lets stand are written as numbers. */
export const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

export function fillIn(templateId: string, text: string, values: Values, where: 'file' | 'word'): string {
  const invalid = (problem: string) => fail('template.invalid', { id: templateId, problem })
  return text.replace(ANY, (whole, inner: string) => {
    const [, plain, name = ''] = FORM.exec(inner) ?? []
    const value = values.get(name)
    if (!value) throw invalid(`${whole} is not a placeholder`)
    if (where === 'word') return value.text
    if (!plain) return value.quoted ?? quoted(value.text)
    if (!value.plain) throw invalid(`${whole} needs a pattern to stand without quotes`)
    if (UNSEEN.test(value.text)) throw invalid(`${whole} has control characters`)
    return value.text
  })
}
