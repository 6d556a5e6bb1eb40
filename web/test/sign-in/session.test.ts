// @vitest-environment node
import { expect, test } from "vitest";
import { idOf } from "../../src/sign-in/session.ts";

test("an id is made of any name", () => {
  expect([idOf("José Núñez"), idOf("Finn O'Sullivan"), idOf("李雷")]).toEqual(["jose.nunez", "finn.o.sullivan", "u-674e-96f7"]);
});
