// The commands of the client, for this service.

import { serviceAddress } from "../api.js";
import { command } from "./button.js";

const FOLDER = "~/dev";

/** The commands with which a user begins on a machine. */
export function firstCommands() {
  return [`symphony login ${serviceAddress()}`, `symphony import ${FOLDER}`, reportCommand()].map((each) => command(each));
}

/** The commands with which a machine reports for its user. */
export function commandsThatReport() {
  return [`symphony login ${serviceAddress()}`, reportCommand()].map((each) => command(each));
}

/** The commands with which a machine reports that has a token for it alone. */
export function commandsWithToken() {
  return [`symphony login ${serviceAddress()} --token -`, reportCommand()].map((each) => command(each));
}

function reportCommand() {
  return `symphony report --root ${FOLDER}`;
}
