/** What a form says before the server has to: the server's word counts. */
import * as m from '../messages/index.ts'

const EMAIL = /^\S+@\S+\.\S+$/
export const emailProblem = (text: string) => (EMAIL.test(text.trim()) ? undefined : m.emailWrong)
export const nameProblem = (text: string) => (text.trim() ? undefined : m.nameMissing)
export const newPasswordProblem = (text: string) => (text.length >= 10 ? undefined : m.passwordShort)
