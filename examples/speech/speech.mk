# Spoken digits: included by the Makefile.
#
#   make speech         build/speech: a WAV file or a microphone's samples in, words with their times out

SPEECH = examples/speech
SPEECH_PARTS = $(addprefix $(BUILD)/speech-parts/$(SPEECH)/,frontend.o detector.o listener.o resample.o sound_file.o)
SPEECH_PROGRAM = $(addprefix $(BUILD)/speech-parts/$(SPEECH)/,speech.o screen.o)

$(BUILD)/speech-parts/%.o: %.c Makefile $(SPEECH)/speech.mk
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(B2S6_CFLAGS) -I. $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/speech: $(SPEECH_PROGRAM) $(SPEECH_PARTS) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm

speech: $(BUILD)/speech

-include $(SPEECH_PARTS:.o=.d) $(SPEECH_PROGRAM:.o=.d)

.PHONY: speech
