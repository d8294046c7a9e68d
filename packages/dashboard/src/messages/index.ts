/** The catalogue in the language of the page, a file for each room. Another language is other files of the same names. */
export * from './account.ts'
export * from './activity.ts'
export * from './apps.ts'
export * from './en.ts'
export * from './keys.ts'
export * from './people.ts'
export * from './providers.ts'
export * from './sign-in.ts'
